package carry

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"clinker/internal/fault"
	"clinker/internal/run"
)

// Multipath is what makes one device, a map, of all paths to a disk. Where
// multipath.conf says find_multipaths no, or greedy, also of one path. The disk's own
// device cannot be mounted then. Every method may be repeated.
type Multipath interface {
	// Decide has it look at a disk. When that returns true the disk's map is there, if it
	// makes one of it; false when it cannot say, as while udev is not done with the disk.
	Decide(ctx context.Context, disk string) (bool, error)
	// Resize makes a map as large as its disk is now.
	Resize(ctx context.Context, name string) error
	// Remove takes a map away, and those of its partitions. Busy while one is used.
	Remove(ctx context.Context, name string) error
}

// multipathTools are multipathd's own programs.
type multipathTools struct{ root string }

// Decide implements Multipath: multipathd does what it does with every new disk, an
// instant after udev has named it (`multipathd add path`, as os-brick does). Of disks that
// it is not to look at it says so.
func (m multipathTools) Decide(ctx context.Context, disk string) (bool, error) {
	if _, err := os.Stat(rooted(m.root, "run/multipathd.pid")); err != nil {
		return true, nil // it does not run
	}
	_, err := run.Output(ctx, "multipathd", "add", "path", disk)
	var exit *run.ExitError
	if errors.As(err, &exit) || fault.Is(err, fault.Unavailable) {
		slog.DebugContext(ctx, "multipathd does not say whether it takes the disk", "disk", disk, "error", err)
		return false, nil
	}
	return err == nil, err
}

// Resize implements Multipath.
func (multipathTools) Resize(ctx context.Context, name string) error {
	_, err := run.Output(ctx, "multipathd", "resize", "map", name)
	return err
}

// Remove implements Multipath. What has been written to the map is on the disk then.
func (multipathTools) Remove(ctx context.Context, name string) error {
	_, err := run.Output(ctx, "multipath", "-f", name)
	var exit *run.ExitError
	if errors.As(err, &exit) {
		return fault.Wrap(err, fault.Busy, "multipath does not give up its map %s", name)
	}
	return err
}

// settled waits until multipath has taken a disk, or let it be, so that nobody is handed
// a device that is going to be taken from under him. One that is mounted it cannot take.
func (h *Host) settled(ctx context.Context, disk string) error {
	if len(h.system.held(append(h.system.partitionsOf(disk), disk))) == 0 {
		if err := h.decided(ctx, disk); err != nil {
			return err
		}
	}
	if top := h.system.topOf(disk); top != disk {
		// Without its name the kernel's own will do.
		_ = h.until(ctx, func() bool { return h.system.mapped(h.system.mapperNameOf(top)) })
	}
	return nil
}

// decided asks multipath about a disk, until it says, for a while.
func (h *Host) decided(ctx context.Context, disk string) error {
	var err error
	said := h.soon(ctx, func() (decided bool) {
		decided, err = h.multipath.Decide(ctx, disk)
		return decided || err != nil
	})
	switch {
	case said:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	slog.WarnContext(ctx, "multipathd does not say whether it takes the disk", "disk", disk)
	return nil
}

// top is what stands for a disk: the map that multipath made of it, as large as the
// disk, or the disk itself.
func (h *Host) top(ctx context.Context, disk string) (string, error) {
	top := h.system.topOf(disk)
	if top == disk {
		return disk, nil
	}
	has, err := h.system.sizeOf(top)
	if err != nil {
		return "", err
	}
	wants, err := h.system.sizeOf(disk)
	if err == nil && has < wants {
		err = h.multipath.Resize(ctx, h.system.mapperNameOf(top))
	}
	return top, err
}

// taken tells whether multipath has made a map of a disk that was handed out without.
func (h *Host) taken(state State, disk string) bool {
	top := h.system.topOf(disk)
	return disk != "" && top != disk && state.Mapper == "" && state.Device != h.system.shown(top)
}

// free writes what the kernel still holds back of a disk that nothing uses, and takes
// multipath's map of it away, which would outlive the session. When the attachment is
// gone the target is too: a flush would block and could save nothing.
func (h *Host) free(ctx context.Context, disk string, gone bool) error {
	top := h.system.topOf(disk)
	if !gone {
		if err := h.system.flushAll(top); err != nil {
			return err
		}
	}
	if top == disk {
		return nil
	}
	slog.InfoContext(ctx, "multipath's map of the disk is taken away", "disk", disk, "map", h.system.mapperNameOf(top))
	return h.multipath.Remove(ctx, h.system.mapperNameOf(top))
}

// topOf is the kernel's name (dm-1) of the map that multipath made of a disk, or the disk.
func (s system) topOf(disk string) string {
	for _, holder := range s.mappersOn(disk, mapUUID) {
		return holder
	}
	return disk
}

// The UUIDs by which device-mapper devices say whose they are (multipath-tools).
var (
	mapUUID       = regexp.MustCompile(`^mpath-`)
	partitionUUID = regexp.MustCompile(`^part\d+-mpath-`)
)

// mappersOn are the device-mapper devices on a disk whose UUID looks so.
func (s system) mappersOn(disk string, uuid *regexp.Regexp) (names []string) {
	holders, _ := filepath.Glob(rooted(s.root, "sys/class/block/"+disk+"/holders/dm-*"))
	for _, holder := range holders {
		name := filepath.Base(holder)
		if uuid.MatchString(text(rooted(s.root, "sys/class/block/"+name+"/dm/uuid"))) {
			names = append(names, name)
		}
	}
	return names
}

// mapperNameOf is a device-mapper device's name under /dev/mapper; "" for another disk.
func (s system) mapperNameOf(disk string) string {
	if !strings.HasPrefix(disk, "dm-") {
		return ""
	}
	return text(rooted(s.root, "sys/class/block/"+disk+"/dm/name"))
}

// shown is a disk's path as people know it.
func (s system) shown(disk string) string {
	if name := s.mapperNameOf(disk); name != "" && s.mapped(name) {
		return "/dev/mapper/" + name
	}
	return "/dev/" + disk
}
