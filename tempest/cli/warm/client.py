#!/usr/bin/python3 -SE
"""Stands for the client whose name it has, and has server.py run it."""
import json
import os
import socket
import sys

with socket.socket(socket.AF_UNIX) as server:
    server.connect(os.environ["WARM_CLIENTS"])
    asked = {"arguments": sys.argv, "environment": dict(os.environ), "folder": os.getcwd()}
    socket.send_fds(server, [json.dumps(asked).encode() + b"\n"], [0, 1, 2])
    status = server.recv(1)
os._exit(status[0] if status else 1)
