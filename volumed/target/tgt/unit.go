package tgt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// deviceSize gives the size in bytes of a block device or file.
func deviceSize(path string) (uint64, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, fault.Wrap(err, fault.NotFound, "the volume's device does not exist")
	}
	if err != nil {
		return 0, fmt.Errorf("device to export: %w", err)
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, fmt.Errorf("device to export: %w", err)
	}
	return uint64(size), nil
}

// notHeld gives Busy for a device that a file system or another device has to itself:
// tgtd would write to it all the same (open(2), O_EXCL of block devices).
func notHeld(path string) error {
	if info, err := os.Stat(path); err != nil || info.Mode()&os.ModeDevice == 0 {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_EXCL, 0)
	if errors.Is(err, unix.EBUSY) {
		return fault.Wrap(err, fault.Busy, "something else on the storage node holds the volume's device (lsblk tells what)")
	}
	if err != nil {
		return fmt.Errorf("device to export: %w", err)
	}
	return f.Close()
}

// makeUnit makes sure that the volume's logical unit shows the device in its
// present size, with the serial and the write protection wanted.
func (x *export) makeUnit(ctx context.Context, size uint64) error {
	unit, exists := x.at.unit(unitNumber)
	if !exists && !x.at.offline {
		if err := notHeld(x.want.Device); err != nil {
			return err
		}
		return x.newUnit(ctx)
	}
	if exists && !x.at.offline && unit.path == x.want.Device && unit.megs == roundedSize(size) {
		if unit.serial == x.want.Serial && unit.readOnly == x.readOnly() {
			return nil
		}
		return x.dress(ctx)
	}
	return x.replaceUnit(ctx)
}

func (x *export) readOnly() bool { return len(x.want.Grants) > 0 && x.want.Grants[0].ReadOnly }

func (x *export) newUnit(ctx context.Context) error {
	err := x.control.do(ctx, request{mode: modeUnit, op: opNew, target: x.at.id, unit: unitNumber,
		params: "path=" + x.want.Device + ",bstype=rdwr"})
	if err != nil {
		return err
	}
	return x.dress(ctx)
}

// dress sets what a new unit does not have. Of a file, discarded blocks are
// given back to the file system; tgtd cannot do that with most block devices,
// and would answer an initiator's discard with an error.
func (x *export) dress(ctx context.Context) error {
	readOnly, thin := 0, 0
	if x.readOnly() {
		readOnly = 1
	}
	if info, err := os.Stat(x.want.Device); err == nil && info.Mode().IsRegular() {
		thin = 1
	}
	return x.control.do(ctx, request{mode: modeUnit, op: opUpdate, target: x.at.id, unit: unitNumber,
		params: fmt.Sprintf("scsi_sn=%s,scsi_id=%s,vendor_id=Clinker,product_id=volume,readonly=%d,thin_provisioning=%d",
			x.want.Serial, x.want.Serial, readOnly, thin)})
}

// replaceUnit makes the unit again under initiators that are logged in; doc.go
// says why so. Interrupted, it leaves the target offline, and is done again.
func (x *export) replaceUnit(ctx context.Context) error {
	before, err := x.received(ctx)
	if err != nil {
		return err
	}
	if err := x.setState(ctx, "offline"); err != nil {
		return err
	}
	if x.at.offline {
		before = nil // what was dropped since it went offline is not known
	}
	if err := x.deleteUnits(ctx); err != nil {
		// The old unit is still there and good.
		return errors.Join(err, x.resume(context.WithoutCancel(ctx), before))
	}
	if err := x.newUnit(ctx); err != nil {
		return err
	}
	return x.resume(ctx, before)
}

// resume puts the target online and disconnects every session that sent
// something since before was counted, for it may wait for an answer in vain.
func (x *export) resume(ctx context.Context, before map[shownConnection]uint64) error {
	if err := x.setState(ctx, "ready"); err != nil {
		return err
	}
	after, err := x.received(ctx)
	if err != nil {
		return err
	}
	for c, n := range after {
		if old, ok := before[c]; ok && old == n {
			continue
		}
		if err := x.disconnect(ctx, x.at.id, c); err != nil {
			return err
		}
	}
	return nil
}

func (x *export) setState(ctx context.Context, state string) error {
	return x.control.do(ctx, request{mode: modeTarget, op: opUpdate, target: x.at.id, params: "state=" + state})
}

// received counts the bytes that came in over each connection.
func (x *export) received(ctx context.Context) (map[shownConnection]uint64, error) {
	all, err := x.connections(ctx, x.at.id)
	if err != nil {
		return nil, err
	}
	counts := map[shownConnection]uint64{}
	for _, c := range all {
		text, err := x.control.call(ctx, request{mode: modeConnection, op: opStats, target: x.at.id, sid: c.sid, cid: c.cid})
		if errors.Is(err, noSession) || errors.Is(err, noConnection) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n, ok := parseReceived(text); ok {
			counts[c] = n
		}
	}
	return counts, nil
}

// deleteUnits deletes all logical units but the controller. The daemon refuses
// while commands are under way, which is waited for.
func (x *export) deleteUnits(ctx context.Context) error {
	for _, u := range x.at.units {
		if u.number == 0 {
			continue
		}
		err := until(ctx, "the volume's last commands did not end in time", func() (bool, error) {
			err := x.control.do(ctx, request{mode: modeUnit, op: opDelete, target: x.at.id, unit: u.number}, noUnit)
			if errors.Is(err, unitActive) {
				return false, nil
			}
			return err == nil, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
