package carry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// usesOf is system's, of what uses the disk for longer than an instant: udev opens one
// for so long when its file system was unmounted.
func (h *Host) usesOf(ctx context.Context, disk string) (uses []string) {
	h.soon(ctx, func() bool {
		uses = h.system.usesOf(disk)
		return len(uses) == 0
	})
	return uses
}

// usesOf tells, in words, what uses the disk or one of its partitions: mounts,
// swap, devices on top (LVM, md), open files. Of a disk that multipath has, that is
// what uses its map.
func (s system) usesOf(disk string) []string {
	disk = s.topOf(disk)
	names := append([]string{disk}, s.partitionsOf(disk)...)
	uses := append(s.held(names), s.swapsOf(names)...)
	return append(uses, s.openersOf(names)...)
}

// held tells of mounts, and of devices on top.
func (s system) held(names []string) (uses []string) {
	for _, name := range names {
		uses = append(uses, s.mountsOf(name)...)
		uses = append(uses, s.holdersOf(name)...)
	}
	return uses
}

// partitionsOf gives the kernel's names of them. Those of a map are mappings too.
func (s system) partitionsOf(disk string) []string {
	marks, _ := filepath.Glob(rooted(s.root, "sys/class/block/"+disk+"/*/partition"))
	var names []string
	for _, mark := range marks {
		names = append(names, filepath.Base(filepath.Dir(mark)))
	}
	return append(names, s.mappersOn(disk, partitionUUID)...)
}

// mountsOf tells where a disk or partition is mounted.
func (s system) mountsOf(name string) (uses []string) {
	content, _ := os.ReadFile(rooted(s.root, "proc/self/mountinfo"))
	for _, place := range mountsIn(string(content), name, text(rooted(s.root, "sys/class/block/"+name+"/dev"))) {
		uses = append(uses, s.shown(name)+" is mounted at "+place)
	}
	return uses
}

// mountsIn reads /proc/self/mountinfo (proc(5)): the third word is the device's
// number, the fifth where it is mounted, the second after "-" the source,
// which tells where a file system (btrfs) shows a number of its own.
func mountsIn(content, name, number string) (places []string) {
	for line := range strings.Lines(content) { // an overlay's may be of any length
		words := strings.Fields(line)
		if len(words) < 5 {
			continue
		}
		source := ""
		if dash := slices.Index(words, "-"); dash >= 0 && dash+2 < len(words) {
			source = words[dash+2]
		}
		if words[2] == number || source == "/dev/"+name {
			places = append(places, words[4])
		}
	}
	return places
}

func (s system) holdersOf(name string) []string {
	holders, _ := filepath.Glob(rooted(s.root, "sys/class/block/"+name+"/holders/*"))
	partitions := s.mappersOn(name, partitionUUID)
	var uses []string
	for _, holder := range holders {
		device := filepath.Base(holder)
		if slices.Contains(partitions, device) {
			continue
		}
		if dm := s.mapperNameOf(device); dm != "" {
			device += " (" + dm + ")"
		}
		uses = append(uses, s.shown(name)+" is held by "+device)
	}
	return uses
}

func (s system) swapsOf(names []string) []string {
	content, _ := os.ReadFile(rooted(s.root, "proc/swaps"))
	var uses []string
	for line := range strings.Lines(string(content)) {
		path, _, _ := strings.Cut(line, " ")
		if name, found := strings.CutPrefix(path, "/dev/"); found && slices.Contains(names, name) {
			uses = append(uses, path+" is used as swap")
		}
	}
	return uses
}

// openersOf looks through the open files of all processes but this one.
func (s system) openersOf(names []string) []string {
	links, _ := filepath.Glob(rooted(s.root, "proc/[0-9]*/fd/*"))
	seen := map[string]bool{}
	var uses []string
	for _, link := range links {
		to, err := os.Readlink(link)
		if err != nil {
			continue
		}
		name, found := strings.CutPrefix(to, "/dev/")
		process := filepath.Base(filepath.Dir(filepath.Dir(link)))
		key := process + " " + name
		if !found || !slices.Contains(names, name) || seen[key] || process == strconv.Itoa(os.Getpid()) {
			continue
		}
		seen[key] = true
		uses = append(uses, fmt.Sprintf("%s is open in process %s (%s)", to, process, text(rooted(s.root, "proc/"+process+"/comm"))))
	}
	return uses
}

// flushAll flushes a disk, or a map with its partitions: those hold it.
func (s system) flushAll(disk string) error {
	parts := s.mappersOn(disk, partitionUUID)
	for _, part := range parts {
		if err := s.flush(part, unix.O_EXCL); err != nil {
			return err
		}
	}
	if len(parts) > 0 {
		return s.flush(disk, 0)
	}
	return s.flush(disk, unix.O_EXCL)
}

// flush writes what the kernel still holds back of the disk. With O_EXCL it opens the
// device exclusively: the kernel then refuses if anything, also a mount that
// is only visible in another container, holds it. Busy in that case.
func (s system) flush(disk string, exclusive int) error {
	f, err := os.OpenFile(s.node(disk), os.O_RDONLY|exclusive, 0)
	if errors.Is(err, unix.EBUSY) {
		return fault.Wrap(err, fault.Busy, "%s is in use", s.shown(disk))
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("flush %s: %w", s.shown(disk), err)
	}
	err = unix.IoctlSetInt(int(f.Fd()), unix.BLKFLSBUF, 0)
	if err != nil && !errors.Is(err, unix.ENOTTY) { // a file in a test
		return fmt.Errorf("flush %s: %w", s.shown(disk), err)
	}
	return nil
}
