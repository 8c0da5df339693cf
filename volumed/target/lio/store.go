package lio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

// The HBAs that hold Clinker's backstores. An HBA is nothing but a directory;
// other programs count theirs from 0, and in these two the names are IQNs.
const (
	blockHBA = "core/iblock_2010"
	fileHBA  = "core/fileio_2010"
)

// store is a backstore: how LIO holds a device or file.
type store struct {
	iqn    string
	hba    string
	device string
	serial string
	size   int64 // bytes; of files only
}

func (s store) path() string { return s.hba + "/" + s.iqn }

// storeFor looks at the device to export.
func storeFor(e target.Export) (store, error) {
	s := store{iqn: e.IQN, hba: blockHBA, device: e.Device, serial: e.Serial}
	info, err := os.Stat(e.Device)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, fault.Wrap(err, fault.NotFound, "the volume's device does not exist")
	case err != nil:
		return s, fmt.Errorf("device to export: %w", err)
	case info.Mode().IsRegular():
		s.hba, s.size = fileHBA, info.Size()
	case info.Mode()&fs.ModeDevice == 0 || info.Mode()&fs.ModeCharDevice != 0:
		return s, fault.New(fault.Invalid, "the volume's device is neither a block device nor a file")
	}
	return s, nil
}

// control is what the kernel is told when the backstore is made. Writes to a
// file go through the page cache, and initiators are told so; they flush.
func (s store) control() string {
	if s.hba == blockHBA {
		return "udev_path=" + s.device
	}
	return fmt.Sprintf("fd_dev_name=%s,fd_dev_size=%d,fd_buffered_io=1", s.device, s.size)
}

// makeStore makes the backstore. One that shows another device or serial, or
// that was never finished, is removed first, and with it the target that uses it:
// neither can be changed while it is in use.
func (x *export) makeStore() error {
	right, err := x.storeIsRight()
	if err != nil {
		return err
	}
	if !right {
		if err := x.remove(); err != nil {
			return err
		}
		if err := x.newStore(); err != nil {
			return err
		}
	}
	if err := x.dressStore(); err != nil {
		return err
	}
	return x.resizeStore()
}

func (x *export) storeIsRight() (bool, error) {
	enabled, err := x.fs.read(x.store.path() + "/enable")
	if err != nil || enabled != "1" {
		return false, err
	}
	device, err := x.fs.read(x.store.path() + "/udev_path")
	if err != nil || device != x.store.device {
		return false, err
	}
	serial, err := x.fs.read(x.store.path() + "/wwn/vpd_unit_serial")
	return serialIn(serial) == x.store.serial, err
}

// serialIn reads "T10 VPD Unit Serial Number: …".
func serialIn(text string) string {
	_, serial, _ := strings.Cut(text, ": ")
	return strings.TrimSpace(serial)
}

// newStore makes the backstore from nothing. udev_path, the attribute, is a
// note for us: it is what List reads.
func (x *export) newStore() error {
	s := x.store
	for _, dir := range []string{s.hba, s.path()} {
		if err := x.fs.mkdir(dir); err != nil {
			return err
		}
	}
	for _, a := range [][2]string{
		{"control", s.control()}, {"udev_path", s.device}, {"wwn/vpd_unit_serial", s.serial}, {"enable", "1"},
	} {
		err := x.fs.write(s.path()+"/"+a[0], a[1])
		if a[0] == "enable" && is(err, unix.EBUSY) {
			return fault.Wrap(err, fault.Busy, "something else on the storage node holds the volume's device (lsblk tells what)")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dressStore lets initiators discard blocks, if the device can, and forbids
// them to have the target copy from one unit to another.
func (x *export) dressStore() error {
	if err := x.set(x.store.path()+"/attrib/emulate_3pc", "0"); err != nil {
		return err
	}
	err := x.set(x.store.path()+"/attrib/emulate_tpu", "1")
	if is(err, unix.ENOSYS, unix.EINVAL, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}

// resizeStore tells the kernel a file's size. It sees a block device's itself.
func (x *export) resizeStore() error {
	if x.store.hba != fileHBA {
		return nil
	}
	info, err := x.fs.read(x.store.path() + "/info")
	if err != nil || fileSizeIn(info) == x.store.size {
		return err
	}
	return x.fs.write(x.store.path()+"/control", "fd_dev_size="+strconv.FormatInt(x.store.size, 10))
}

// fileSizeIn reads the size from a fileio backstore's description:
// "…  TCM FILEIO ID: 0  File: /srv/x  Size: 67108864  Mode: Buffered-WCE". -1
// when it is not there.
func fileSizeIn(info string) int64 {
	const before = "  Size: " // not that of sectors
	i := strings.LastIndex(info, before)
	if i < 0 {
		return -1
	}
	word, _, _ := strings.Cut(info[i+len(before):], " ")
	n, err := strconv.ParseUint(word, 10, 63)
	if err != nil {
		return -1
	}
	return int64(n)
}

// removeStores removes the volume's backstore, of whichever kind it is: also one of its
// name in another HBA, where a configuration that targetcli has saved and restored
// puts it. It would hold the device.
func (x *export) removeStores() error {
	hbas, err := x.fs.list("core")
	if err != nil {
		return err
	}
	for _, hba := range hbas {
		if !strings.HasPrefix(hba, "iblock_") && !strings.HasPrefix(hba, "fileio_") {
			continue
		}
		if err := x.fs.rmdir("core/" + hba + "/" + x.want.IQN); err != nil {
			return err
		}
	}
	return nil
}

// explain turns what the kernel said into a fault where a caller can act on it.
func explain(err error) error {
	var f *fault.Fault
	switch {
	case err == nil || errors.As(err, &f):
		return err
	case is(err, unix.EBUSY):
		return fault.Wrap(err, fault.Busy, "the kernel's iSCSI target finds something in use")
	case is(err, unix.ENOENT, unix.EPERM, unix.EACCES, unix.EROFS):
		return fault.Wrap(err, fault.Unavailable, "the kernel's iSCSI target is not available on this node")
	}
	return err
}
