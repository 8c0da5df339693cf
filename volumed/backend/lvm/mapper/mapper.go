package mapper

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

const (
	control     = "/dev/mapper/control"
	sectorBytes = 512
	headerBytes = int(unsafe.Sizeof(unix.DmIoctl{}))
	answerBytes = 16 << 10 // room for a table of some 300 targets at first
	answerLimit = 16 << 20
)

// Device is a device that is mapped at the moment.
type Device struct {
	Opened    int  // how many times it is open, by programs and by the kernel itself
	Suspended bool // I/O to it waits
	Targets   []Target
}

// Target is one piece of a device's table.
type Target struct {
	Start, Length int64 // bytes
	Type          string
	Status        string // in the target type's own words; linear has none
}

// Type is the type of the device's first target, which is its only one unless it
// is linear or striped: "thin", "snapshot", "snapshot-origin".
func (d Device) Type() string {
	if len(d.Targets) == 0 {
		return ""
	}
	return d.Targets[0].Type
}

// Bytes is the device's size.
func (d Device) Bytes() int64 {
	if len(d.Targets) == 0 {
		return 0
	}
	last := d.Targets[len(d.Targets)-1]
	return last.Start + last.Length
}

// Name gives the mapper's name of a logical volume, or of one of its layers
// ("real", "cow", "tpool"): volume group and name with dashes doubled, joined by
// one (dm_build_dm_name in LVM).
func Name(group, volume string, layer ...string) string {
	double := strings.NewReplacer("-", "--")
	return strings.Join(append([]string{double.Replace(group), double.Replace(volume)}, layer...), "-")
}

// Lookup finds a device by its name in the mapper; false when there is none.
func Lookup(name string) (Device, bool, error) {
	header, answer, err := ask(unix.DM_TABLE_STATUS, name)
	if errors.Is(err, unix.ENXIO) {
		return Device{}, false, nil
	}
	if err != nil {
		return Device{}, false, fmt.Errorf("device mapper: %s: %w", name, err)
	}
	d := Device{
		Opened:    int(header.Open_count),
		Suspended: header.Flags&unix.DM_SUSPEND_FLAG != 0,
		Targets:   parse(answer, int(header.Target_count)),
	}
	return d, true, nil
}

// Present gives Unavailable when this machine has no device mapper that this
// process may use.
func Present() error {
	f, err := os.OpenFile(control, os.O_RDWR, 0)
	if errors.Is(err, os.ErrPermission) {
		return fault.Wrap(err, fault.Unavailable, "logical volumes need root's rights")
	}
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "this kernel has no device mapper (try: modprobe dm-mod)")
	}
	return f.Close()
}

// ask gives the header and what followed it, with as much room as that needs.
func ask(request uint, name string) (unix.DmIoctl, []byte, error) {
	f, err := os.OpenFile(control, os.O_RDWR, 0)
	if err != nil {
		return unix.DmIoctl{}, nil, err
	}
	defer f.Close()
	for room := answerBytes; ; room *= 8 {
		header, answer, err := askOnce(f, request, name, room)
		if err != nil || header.Flags&unix.DM_BUFFER_FULL_FLAG == 0 || room >= answerLimit {
			return header, answer, err
		}
	}
}

func askOnce(f *os.File, request uint, name string, room int) (unix.DmIoctl, []byte, error) {
	// Eight-byte words, since the kernel's structure wants that alignment.
	words := make([]uint64, room/8)
	header := (*unix.DmIoctl)(unsafe.Pointer(&words[0]))
	*header = unix.DmIoctl{
		Version:    [3]uint32{4, 0, 0},
		Data_size:  uint32(room),
		Data_start: uint32(headerBytes),
		// A thin pool would otherwise commit its metadata to answer.
		Flags: unix.DM_NOFLUSH_FLAG,
	}
	if len(name) >= len(header.Name) {
		return unix.DmIoctl{}, nil, unix.ENAMETOOLONG
	}
	copy(header.Name[:], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), uintptr(request), uintptr(unsafe.Pointer(header)))
	if errno != 0 {
		return unix.DmIoctl{}, nil, errno
	}
	answer := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), room)
	return *header, answer[min(int(header.Data_start), room):], nil
}

// parse reads target specifications (struct dm_target_spec), each followed by
// its status text; Next is counted from the beginning of them all.
func parse(answer []byte, count int) (targets []Target) {
	const size = int(unsafe.Sizeof(unix.DmTargetSpec{}))
	order := binary.NativeEndian
	for at := 0; count > 0 && at >= 0 && at+size <= len(answer); count-- {
		spec := answer[at:]
		next := int(order.Uint32(spec[20:]))
		targets = append(targets, Target{
			Start:  int64(order.Uint64(spec)) * sectorBytes,
			Length: int64(order.Uint64(spec[8:])) * sectorBytes,
			Type:   unix.ByteSliceToString(spec[24:size]),
			Status: strings.TrimSpace(unix.ByteSliceToString(spec[size:])),
		})
		if next < at+size {
			break
		}
		at = next
	}
	return targets
}
