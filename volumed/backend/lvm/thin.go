package lvm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// thin makes volumes that take blocks of a thin pool as they are written. Its
// snapshots are volumes like others, and nothing needs a wipe.
type thin struct {
	*group
	name string // of the pool

	metadata sync.Mutex // held by who has the pool keep a copy of its metadata
}

func (v logicalVolume) thinPool() bool {
	layout := strings.Split(v.Layout, ",")
	return slices.Contains(layout, "thin") && slices.Contains(layout, "pool")
}

func (t *thin) holds(v logicalVolume) bool { return v.Pool == t.name }

func (t *thin) whole(logicalVolume) bool { return true }

// activate makes the pool itself active, lest it goes with the last of its volumes:
// its filling could then not be read.
func (t *thin) activate(ctx context.Context) error {
	_, active, err := t.mapped(t.name)
	if err != nil || active {
		return err
	}
	return t.change(ctx, "lvchange", "-y", "-ay", t.path(t.name))
}

func (t *thin) create(ctx context.Context, name string, size int64) error {
	err := t.change(ctx, "lvcreate", "-y", "-V", inBytes(size), "-T", t.path(t.name), "-n", name)
	return t.existing(ctx, err, name, t.same(name, size))
}

// same accepts a volume of this pool with that size.
func (t *thin) same(name string, size int64) func(logicalVolume) error {
	return func(v logicalVolume) error {
		if !t.holds(v) {
			return errElsewhere(name)
		}
		return backend.SameSize(name, v.Bytes, size)
	}
}

func (t *thin) extend(ctx context.Context, name string, size int64) error {
	return t.grow(ctx, name, size)
}

// remove lets LVM choose by name and pool: a volume of that name elsewhere in the
// volume group would need a wipe, and is not touched.
func (t *thin) remove(ctx context.Context, name string) error {
	if err := t.idle(ctx, name); err != nil {
		return err
	}
	choice := fmt.Sprintf("lv_name=%q && pool_lv=%q", name, t.name)
	return t.change(ctx, "lvremove", "-y", "--select", choice, t.group.name)
}

// snapshot leaves it active, so that the kernel can tell its size when it is copied.
func (t *thin) snapshot(ctx context.Context, volume, snapshot string) error {
	err := t.freeze(ctx, volume, snapshot)
	return t.existing(ctx, err, snapshot, func(v logicalVolume) error {
		if v.Origin != volume || !t.holds(v) {
			return fault.New(fault.Conflict, "%s exists already, but not as a snapshot of %s", snapshot, volume)
		}
		return nil
	})
}

// freeze makes a thin snapshot, which like all else is to be activated without
// being asked twice (-kn).
func (t *thin) freeze(ctx context.Context, volume, snapshot string) error {
	return t.change(ctx, "lvcreate", "-y", "-kn", "-s", "-n", snapshot, t.path(volume))
}

// clone of the same size is one program; a larger one gets its name when it has
// its size.
func (t *thin) clone(ctx context.Context, source, name string, size int64, progress func(int64)) error {
	have, err := t.sourceSize(ctx, source, size)
	if err != nil {
		return err
	}
	if size == have {
		err = t.existing(ctx, t.freeze(ctx, source, name), name, t.same(name, size))
	} else {
		err = t.cloneLarger(ctx, source, name, size)
	}
	if err == nil {
		progress(have)
	}
	return err
}

func (t *thin) cloneLarger(ctx context.Context, source, name string, size int64) error {
	v, ok, err := t.find(ctx, name)
	if err != nil {
		return err
	}
	if ok {
		return t.same(name, size)(v)
	}
	making := t.held.trashName(name)
	defer t.held.hold(making)()
	if err := t.freeze(ctx, source, making); err != nil {
		return err
	}
	if err := t.grow(ctx, making, size); err != nil {
		return err
	}
	return t.complete(ctx, making, name, t.same(name, size))
}
