#!/usr/bin/python3
"""Runs the openstack and cinder clients for those who ask at a socket.

Loading their modules takes the clients a second or more of processor time. This
loads them once; each command is a fork that goes on where the installed script
would: main(), with the asker's arguments, environment, folder and files.
"""
import array
import importlib
import json
import logging
import os
import pkgutil
import signal
import socket
import sys

MAINS = {"openstack": "openstackclient.shell", "cinder": "cinderclient.shell"}
PACKAGES = ("openstackclient.volume", "openstackclient.identity", "openstackclient.common",
            "openstackclient.image", "openstackclient.compute", "cinderclient.v3",
            "keystoneauth1.identity", "keystoneclient.v3", "openstack.block_storage")


def load():
    sys.argv[0] = "openstack"  # cliff reads it once
    for name in list(MAINS.values()) + ["openstack.connection"]:
        importlib.import_module(name)
    for package in PACKAGES:
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, root.__name__ + "."):
            if ".tests" not in module.name:
                try:
                    importlib.import_module(module.name)
                except ImportError:
                    pass
    logging.getLogger().handlers.clear()  # some module sets up what the clients set up themselves


def receive(connection):
    """The request: what to run, and the asker's three files."""
    files = array.array("i")
    data, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_LEN(3 * files.itemsize))
    for _, _, sent in ancillary:
        files.frombytes(sent)
    while not data.endswith(b"\n"):
        data += connection.recv(1 << 20)
    return json.loads(data), files


def run(connection):
    asked, files = receive(connection)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.argv = asked["arguments"]
    status = 1
    try:
        status = sys.modules[MAINS[os.path.basename(sys.argv[0])]].main()
    except SystemExit as end:
        status = end.code
    if isinstance(status, str):
        print(status, file=sys.stderr)
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([status or 0]))


def serve(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    load()
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            try:
                run(connection)
            finally:
                os._exit(1)
        connection.close()


serve(sys.argv[1])
