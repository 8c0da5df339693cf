package lvm

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// thick makes volumes that have all their extents from the beginning.
type thick struct{ *group }

func (t *thick) holds(v logicalVolume) bool { return v.Pool == "" && !v.thinPool() }

// whole: a snapshot is made as a volume first and then told its origin.
func (t *thick) whole(v logicalVolume) bool {
	_, snapshot := backend.SnapshotID(v.Name)
	return snapshot == v.thickSnapshot()
}

func (t *thick) activate(context.Context) error { return nil }

func (t *thick) capacity(_ context.Context, r *report) (backend.Capacity, error) {
	return backend.Capacity{
		TotalBytes:       r.totalBytes,
		FreeBytes:        r.freeBytes,
		ProvisionedBytes: r.totalBytes - r.freeBytes,
	}, nil
}

// create has lvcreate wipe the signatures and the first block: extents that were
// a stranger's could look like a file system or a physical volume.
func (t *thick) create(ctx context.Context, name string, size int64) error {
	err := t.change(ctx, "lvcreate", "-y", "-Wy", "-Zy", "-L", inBytes(size), "-n", name, t.name)
	return t.existing(ctx, err, name, t.same(name, size))
}

// same accepts a thick volume with that size.
func (t *thick) same(name string, size int64) func(logicalVolume) error {
	return func(v logicalVolume) error {
		if !t.holds(v) {
			return errElsewhere(name)
		}
		return backend.SameSize(name, v.Bytes, size)
	}
}

// errElsewhere is for a name that a volume of another pool of the volume group has.
func errElsewhere(name string) error {
	return fault.New(fault.Conflict, "%s exists already in another pool", name)
}

// thinOnes tells whether what has the name is of a thin pool, whose volumes are not
// this pool's to touch. Only for an inactive one does it need a report.
func (t *thick) thinOnes(ctx context.Context, name string) (bool, error) {
	d, active, err := t.mapped(name)
	if err != nil || active {
		return active && d.Type() == "thin", err
	}
	v, ok, err := t.find(ctx, name)
	return ok && !t.holds(v), err
}

// existing looks at what has the name when LVM said that something has.
func (g *group) existing(ctx context.Context, refused error, name string, look func(logicalVolume) error) error {
	if !fault.Is(refused, fault.Conflict) {
		return refused
	}
	v, ok, err := g.find(ctx, name)
	if err != nil {
		return err
	}
	if !ok {
		return refused
	}
	return look(v)
}

// complete gives its name to what is whole. The program of a process that was killed
// goes on, and may have given it to an earlier copy meanwhile, which is as whole: then
// this one is waste.
func (g *group) complete(ctx context.Context, making, name string, look func(logicalVolume) error) error {
	return g.existing(ctx, g.change(ctx, "lvrename", g.name, making, name), name, look)
}

// extend is one lvextend, unless there are snapshots.
func (t *thick) extend(ctx context.Context, name string, size int64) error {
	snapshots, err := t.snapshotsOf(ctx, name)
	if err != nil {
		return err
	}
	if len(snapshots) > 0 {
		return t.extendOrigin(ctx, name, size, snapshots)
	}
	return t.grow(ctx, name, size)
}

// remove gives the name up; the bytes stay in trash. A volume of that name in a thin
// pool of the volume group is not touched.
func (t *thick) remove(ctx context.Context, name string) error {
	if others, err := t.thinOnes(ctx, name); err != nil || others {
		return err
	}
	if err := t.idle(ctx, name); err != nil {
		return err
	}
	if err := t.release(ctx, name); err != nil {
		return err
	}
	trash := t.held.trashName(name)
	err := t.change(ctx, "lvrename", t.name, name, trash)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, ok := backend.SnapshotID(name); ok {
		t.splitOrWarn(ctx, trash)
	}
	return nil
}

// snapshot makes a store that can take every block of the volume.
func (t *thick) snapshot(ctx context.Context, volume, snapshot string) error {
	for {
		err := t.freeze(ctx, volume, snapshot)
		half := false
		err = t.existing(ctx, err, snapshot, func(v logicalVolume) error {
			if half = v.Origin == ""; v.Origin != volume {
				return fault.New(fault.Conflict, "%s exists already, but not as a snapshot of %s", snapshot, volume)
			}
			return nil
		})
		if !half {
			return err
		}
		if err := t.change(ctx, "lvrename", t.name, snapshot, t.held.trashName(snapshot)); err != nil {
			return err
		}
	}
}

// freeze starts lvcreate -s. LVM makes a store of 100%ORIGIN a little larger
// than the volume, for what it notes about each chunk. The chunk is LVM's
// default, made explicit because reverting compares by chunks.
func (t *thick) freeze(ctx context.Context, volume, snapshot string) error {
	return t.change(ctx, "lvcreate", "-y", "-s", "-c", inBytes(chunkBytes), "-l", "100%ORIGIN", "-n", snapshot, t.path(volume))
}
