package lvm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"clinker/internal/fault"
)

// device gives the path of a volume that it has made sure is active. Two ioctls
// and a stat do when it is.
func (g *group) device(ctx context.Context, name string) (string, error) {
	path := filepath.Join("/dev", g.name, name)
	d, active, err := g.mapped(name)
	if err != nil {
		return "", err
	}
	if active && !d.Suspended && isBlockDevice(path) {
		return path, nil
	}
	if active {
		err = g.refresh(ctx, name)
	} else {
		// -K: thin snapshots made by others are set to be skipped.
		err = g.change(ctx, "lvchange", "-y", "-ay", "-K", g.path(name))
	}
	if err != nil {
		return "", err
	}
	if !isBlockDevice(path) {
		return "", fmt.Errorf("%s was activated but is no block device", path)
	}
	return path, nil
}

// refresh loads the kernel's table of a volume anew and lets its I/O go on: the
// remedy when an LVM program was killed in the middle.
func (g *group) refresh(ctx context.Context, name string) error {
	return g.change(ctx, "lvchange", "-y", "--refresh", g.path(name))
}

func isBlockDevice(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&(os.ModeDevice|os.ModeCharDevice) == os.ModeDevice
}

const (
	// looks and pause bound how long a device that is open is looked at: udev
	// and others open every new device for an instant.
	looks = 5
	pause = 100 * time.Millisecond
)

// idle gives Busy when something has the volume open, be it a program, a file
// system or a target in the kernel.
func (g *group) idle(ctx context.Context, name string) error {
	for range looks {
		d, active, err := g.mapped(name)
		if err != nil || !active || d.Opened == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(ctx.Err(), fault.Timeout, "%s is in use on its storage node", name)
		case <-time.After(pause):
		}
	}
	return fault.New(fault.Busy, "%s is in use on its storage node", name)
}
