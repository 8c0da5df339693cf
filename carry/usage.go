package carry

import (
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

// usesOf tells, in words, what uses the disk or one of its partitions: mounts,
// swap, devices on top (LVM, multipath, md), open files.
func (s system) usesOf(disk string) []string {
	var uses []string
	names := append([]string{disk}, s.partitionsOf(disk)...)
	for _, name := range names {
		uses = append(uses, s.mountsOf(name)...)
		uses = append(uses, s.holdersOf(name)...)
	}
	uses = append(uses, s.swapsOf(names)...)
	return append(uses, s.openersOf(names)...)
}

func (s system) partitionsOf(disk string) []string {
	marks, _ := filepath.Glob(rooted(s.root, "sys/class/block/"+disk+"/*/partition"))
	var names []string
	for _, mark := range marks {
		names = append(names, filepath.Base(filepath.Dir(mark)))
	}
	return names
}

// mountsOf tells where a disk or partition is mounted.
func (s system) mountsOf(name string) []string {
	content, _ := os.ReadFile(rooted(s.root, "proc/self/mountinfo"))
	return mountsIn(string(content), name, text(rooted(s.root, "sys/class/block/"+name+"/dev")))
}

// mountsIn reads /proc/self/mountinfo (proc(5)): the third word is the device's
// number, the fifth where it is mounted, the second after "-" the source,
// which tells where a file system (btrfs) shows a number of its own.
func mountsIn(content, name, number string) (uses []string) {
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
			uses = append(uses, fmt.Sprintf("/dev/%s is mounted at %s", name, words[4]))
		}
	}
	return uses
}

func (s system) holdersOf(name string) []string {
	holders, _ := filepath.Glob(rooted(s.root, "sys/class/block/"+name+"/holders/*"))
	var uses []string
	for _, holder := range holders {
		device := filepath.Base(holder)
		if dm := text(rooted(s.root, "sys/class/block/"+device+"/dm/name")); dm != "" {
			device += " (" + dm + ")"
		}
		uses = append(uses, fmt.Sprintf("/dev/%s is held by %s", name, device))
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

// flush writes what the kernel still holds back of the disk. It opens the
// device exclusively: the kernel then refuses if anything, also a mount that
// is only visible in another container, holds it. Busy in that case.
func (s system) flush(disk string) error {
	f, err := os.OpenFile(s.node(disk), os.O_RDONLY|unix.O_EXCL, 0)
	if errors.Is(err, unix.EBUSY) {
		return fault.Wrap(err, fault.Busy, "/dev/%s is in use", disk)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("flush /dev/%s: %w", disk, err)
	}
	err = unix.IoctlSetInt(int(f.Fd()), unix.BLKFLSBUF, 0)
	if err != nil && !errors.Is(err, unix.ENOTTY) { // a file in a test
		return fmt.Errorf("flush /dev/%s: %w", disk, err)
	}
	return nil
}
