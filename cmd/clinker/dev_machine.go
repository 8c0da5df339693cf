package main

import (
	"context"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

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

// lockDirectory keeps a second dev out of the same directory, as long as the file
// stays open, and everybody but the user who made it: what others start there
// could not read the database, or leave files that its owner cannot.
func lockDirectory(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Forbidden, "%s cannot be written: choose another directory with --data", dir)
	}
	if owner := ownerOf(file); owner != os.Geteuid() {
		err = fault.New(fault.Forbidden, "%s is user %s's: run clinker dev as that user or choose another directory with --data", dir, userName(owner))
	} else if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		err = fault.New(fault.Conflict, "another clinker dev is running on %s: end it or choose another directory with --data", dir)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func ownerOf(file *os.File) int {
	info, err := file.Stat()
	if err != nil {
		return -1
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

// checkPorts says which port is taken before anything has been started. A node
// whose iSCSI daemon outlived an earlier, killed dev keeps it, and its port.
func (d *dev) checkPorts(ctx context.Context) (string, error) {
	var free []string
	for i, p := range d.ports() {
		if node := i - (len(d.ports()) - d.Nodes); node >= 0 && tgt.Running(filepath.Join(d.nodeDirectory(node), targetDirectory)) {
			continue
		}
		listener, err := listenTCP(ctx, d.address(p.number), "--listen, "+p.flag)
		if err != nil {
			return "", err
		}
		listener.Close()
		free = append(free, strconv.Itoa(p.number))
	}
	return strings.Join(free, ", "), nil
}

func (d *dev) address(port int) string { return net.JoinHostPort(d.Listen, strconv.Itoa(port)) }
