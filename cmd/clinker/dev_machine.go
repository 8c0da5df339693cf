package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/target/tgt"
)

// leastRoom is the free space below which dev does not start, in bytes.
const leastRoom = 1 << 30

// checkRoom refuses a disk on which the database would soon stand still.
func checkRoom(dir string) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return err
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < leastRoom {
		return fault.New(fault.NoSpace, "%s has %d MiB free, 1024 are needed: make room or choose another directory with --data", dir, free>>20)
	}
	return nil
}

// lockDirectory keeps a second dev out of the same directory, as long as this
// process lives.
func lockDirectory(dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fault.Wrap(err, fault.Forbidden, "%s cannot be written: choose another directory with --data", dir)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		return fault.New(fault.Conflict, "another clinker dev is running on %s: end it or choose another directory with --data", dir)
	}
	heldLock = file
	return nil
}

// heldLock is kept open until the process ends.
var heldLock *os.File

// checkPorts says which port is taken before anything has been started. A node
// whose iSCSI daemon outlived an earlier, killed dev keeps it, and its port.
func (d *dev) checkPorts(ctx context.Context) (string, error) {
	ports := []int{d.Port, d.IdentityPort}
	for i := range d.Nodes {
		if !tgt.Running(filepath.Join(d.nodeDirectory(i), targetDirectory)) {
			ports = append(ports, d.TargetPort+i)
		}
	}
	for _, port := range ports {
		listener, err := listenTCP(ctx, d.address(port))
		if err != nil {
			return "", fmt.Errorf("%w (%s)", err, d.flagOf(port))
		}
		listener.Close()
	}
	return fmt.Sprint(ports), nil
}

func (d *dev) address(port int) string { return net.JoinHostPort(d.Listen, strconv.Itoa(port)) }

func (d *dev) flagOf(port int) string {
	switch port {
	case d.Port:
		return "--port"
	case d.IdentityPort:
		return "--identity-port"
	}
	return "--target-port"
}
