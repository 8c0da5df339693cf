package carry

import (
	"context"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/internal/fault"
)

const gib = 1 << 30

// connect logs in, waits for the disk and makes sure that it is the volume.
// The kernel name of the disk is returned, or of what multipath made of it.
func (h *Host) connect(ctx context.Context, volume *volumes.Volume, c Connection) (string, error) {
	if err := h.endStale(ctx, c); err != nil {
		return "", err
	}
	if err := h.initiator.Login(ctx, c); err != nil {
		return "", err
	}
	disk, err := h.waitForDisk(ctx, c)
	if err != nil {
		return "", err
	}
	if why := h.silent(ctx, c.IQN, c.Portal, disk); why != "" {
		return "", fault.New(fault.Unavailable, "%s", why)
	}
	if err := h.check(ctx, volume, c, disk); err != nil {
		return "", err
	}
	if err := h.settled(ctx, disk); err != nil {
		return "", err
	}
	return h.top(ctx, disk)
}

// endStale closes a session of an attachment that is no more. Its disk is
// dead; the kernel would keep trying the old password for ever, and iscsiadm
// would take it for the session that is wanted.
func (h *Host) endStale(ctx context.Context, c Connection) error {
	found, exists := h.system.sessionOf(c.IQN, c.Portal)
	if !exists || !found.isStale(c) {
		return nil
	}
	if disk := h.system.diskOf(found, c.LUN); disk != "" {
		if uses := h.usesOf(ctx, disk); len(uses) > 0 {
			return fault.New(fault.Busy, "the volume was attached before, that attachment is gone, and its device is still in use: %s", strings.Join(uses, ", "))
		}
		if err := h.free(ctx, disk, true); err != nil {
			return err
		}
	}
	return h.initiator.Logout(ctx, c.IQN, c.Portal)
}

// waitForDisk waits until the session's disk has its node in /dev, and where
// udev runs, its name under /dev/disk.
func (h *Host) waitForDisk(ctx context.Context, c Connection) (string, error) {
	disk := ""
	err := h.until(ctx, func() bool {
		if found, exists := h.system.sessionOf(c.IQN, c.Portal); exists {
			disk = h.system.diskOf(found, c.LUN)
		}
		return disk != ""
	})
	if err != nil {
		return "", fault.Wrap(err, fault.Timeout, "logged in to %s, but LUN %d did not appear", c.IQN, c.LUN)
	}
	if h.system.hasUdev() {
		// Without the name the kernel's own will do.
		_ = h.until(ctx, func() bool { return strings.HasPrefix(h.system.stablePath(disk, c), "/dev/disk/") })
	}
	return disk, nil
}

// silent waits, for as long as Options.Wait, until a disk can be read and written, and
// otherwise tells what is in the way: whoever flushed it would hang in the kernel, for as
// long as open-iscsi tries.
func (h *Host) silent(ctx context.Context, iqn, portal, disk string) (why string) {
	_ = h.until(ctx, func() bool {
		found, exists := h.system.sessionOf(iqn, portal)
		if why = "there is no session"; exists {
			why = h.system.silence(found, disk)
		}
		return why == ""
	})
	if why != "" {
		why = "the volume's storage node does not answer at " + portal + " (" + why + "); open-iscsi goes on trying"
	}
	return why
}

// check compares serial number and size with the volume's. A size that is too
// small is read again once: the volume may have grown while the disk was there.
func (h *Host) check(ctx context.Context, volume *volumes.Volume, c Connection, disk string) error {
	serial, err := h.system.serialOf(disk)
	if err != nil {
		return err
	}
	if !isSerialOf(serial, volume.ID) {
		return fault.New(fault.Conflict, "the disk /dev/%s has the serial number %q and therefore is not volume %s", disk, serial, volume.ID)
	}
	wanted := int64(volume.Size) * gib
	size, err := h.system.sizeOf(disk)
	if err != nil || size >= wanted {
		return err
	}
	_, err = h.grow(ctx, c.IQN, c.Portal, disk, wanted)
	return err
}

// grow makes the kernel read the disk's size again and gives the new size.
// Conflict when it stays below the wanted one.
func (h *Host) grow(ctx context.Context, iqn, portal, disk string, wanted int64) (size int64, err error) {
	if err := h.initiator.Rescan(ctx, iqn, portal); err != nil {
		return 0, err
	}
	late := h.until(ctx, func() bool {
		size, err = h.system.sizeOf(disk)
		return err != nil || size >= wanted
	})
	if err == nil && late != nil {
		err = fault.Wrap(late, fault.Conflict, "the disk /dev/%s has %d bytes, and its volume %d", disk, size, wanted)
	}
	return size, err
}

// until looks again and again, for as long as Options.Wait. The kernel tells of
// disks over netlink, but not of everything that is waited for here.
func (h *Host) until(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, h.options.Wait)
	defer cancel()
	ticker := time.NewTicker(h.options.Poll)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// looks is how often soon looks.
const looks = 20

// soon looks a few times whether something is done, with Options.Poll between, and tells
// whether it was: for what lasts an instant.
func (h *Host) soon(ctx context.Context, done func() bool) bool {
	for range looks {
		if done() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(h.options.Poll):
		}
	}
	return false
}
