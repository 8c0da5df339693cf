package lvm

import (
	"context"
	"errors"
	"log/slog"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// snapshotsOf gives the thick snapshots of a volume, trash included. The kernel
// knows of an active volume whether there are any.
func (t *thick) snapshotsOf(ctx context.Context, name string) (snapshots []logicalVolume, err error) {
	if _, ok := backend.SnapshotID(name); ok {
		return nil, nil // LVM makes no thick snapshots of snapshots
	}
	d, active, err := t.mapped(name)
	if err != nil || active && d.Type() != "snapshot-origin" {
		return nil, err
	}
	r, err := t.reports.get(ctx)
	if err != nil {
		return nil, err
	}
	return r.snapshotsOf(name), nil
}

func (r *report) snapshotsOf(name string) (snapshots []logicalVolume) {
	for _, v := range r.volumes {
		if v.Origin == name && v.thickSnapshot() {
			snapshots = append(snapshots, v)
		}
	}
	return snapshots
}

// release frees a volume of snapshots that are but trash; Busy when it has others.
func (t *thick) release(ctx context.Context, name string) error {
	snapshots, err := t.snapshotsOf(ctx, name)
	if err != nil {
		return err
	}
	for _, s := range snapshots {
		if backend.CheckTrashName(s.Name) != nil || t.held.has(s.Name) {
			return fault.New(fault.Busy, "%s has snapshots; delete them first", name)
		}
		if err := t.split(ctx, s.Name); err != nil {
			return err
		}
	}
	return nil
}

// split takes a snapshot's store away from its volume and makes it a volume of its
// own, which holds what the snapshot kept (lvconvert(8), --splitsnapshot).
func (g *group) split(ctx context.Context, name string) error {
	return g.change(ctx, "lvconvert", "-y", "--splitsnapshot", g.path(name))
}

// splitOrWarn splits a snapshot that is trash already, at once because it slows
// its volume down; Purge does it if this fails. Done also when ctx has ended.
func (g *group) splitOrWarn(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	if err := g.split(ctx, name); err != nil {
		slog.WarnContext(ctx, "a snapshot that is trash still slows its volume down", "name", name, "error", err)
	}
}

// extendOrigin extends a volume that has snapshots, which LVM does only while all
// of them are inactive. They stay as long as they are, and what is added to the
// volume is no concern of theirs: their stores are large enough as they are.
func (t *thick) extendOrigin(ctx context.Context, name string, size int64, snapshots []logicalVolume) error {
	v, ok, err := t.find(ctx, name)
	if err != nil {
		return err
	}
	if !ok {
		return notFound(name)
	}
	if v.Bytes > size {
		return fault.New(fault.Invalid, "%s has %d bytes; it cannot shrink to %d", name, v.Bytes, size)
	}
	if v.Bytes == size {
		return t.settle(ctx, name, size)
	}
	for _, v := range append(snapshots, v) {
		if err := t.idle(ctx, v.Name); err != nil {
			return fault.Wrap(err, fault.CodeOf(err), "%s has snapshots, and can then grow only while it is not attached", name)
		}
	}
	if err := t.change(ctx, "lvchange", "-y", "-an", t.path(name)); err != nil {
		return err
	}
	grown := t.grow(ctx, name, size)
	// It must come back whatever happened, also when time has run out.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	_, err = t.device(ctx, name)
	return errors.Join(grown, err)
}
