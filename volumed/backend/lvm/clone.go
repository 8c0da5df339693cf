package lvm

import (
	"context"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// clone copies into a volume that is trash until it is complete.
func (t *thick) clone(ctx context.Context, source, name string, size int64, progress func(int64)) error {
	have, ok, err := t.size(ctx, name)
	if err != nil {
		return err
	}
	if ok {
		return backend.SameSize(name, have, size)
	}
	if have, err = t.sourceSize(ctx, source, size); err != nil {
		return err
	}
	if _, volume := backend.VolumeID(source); volume {
		return t.cloneVolume(ctx, source, name, have, size, progress)
	}
	return t.cloneFrom(ctx, source, name, have, size, progress)
}

// cloneVolume copies from a snapshot, so that who writes to the volume meanwhile
// does not make the copy one of two points in time. Purge takes the snapshot's
// store away; only what was written meanwhile is in it.
func (t *thick) cloneVolume(ctx context.Context, source, name string, have, size int64, progress func(int64)) error {
	id := strings.TrimPrefix(name, backend.VolumeName(""))
	still := t.held.trashName(backend.SnapshotName(id))
	defer t.held.hold(still)()
	if err := t.freeze(ctx, source, still); err != nil {
		return err
	}
	defer t.splitOrWarn(ctx, still)
	return t.cloneFrom(ctx, still, name, have, size, progress)
}

// cloneFrom copies from what nobody writes to.
func (t *thick) cloneFrom(ctx context.Context, source, name string, have, size int64, progress func(int64)) error {
	making := t.held.trashName(name)
	defer t.held.hold(making)()
	if err := t.change(ctx, "lvcreate", "-y", "-Wn", "-Zn", "-L", inBytes(size), "-n", making, t.name); err != nil {
		return err
	}
	if err := t.copyTo(ctx, making, source, have, progress); err != nil {
		return err
	}
	return t.complete(ctx, making, name, t.same(name, size))
}

func (t *thick) copyTo(ctx context.Context, target, source string, size int64, progress func(int64)) error {
	from, err := t.open(ctx, source, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := t.open(ctx, target, os.O_RDWR|unix.O_EXCL)
	if err != nil {
		return err
	}
	defer to.Close()
	if err := copyBlocks(ctx, to, from, size, progress); err != nil {
		return err
	}
	return to.Sync()
}

// open goes around the page cache, which a large copy would drive everything
// else out of.
func (g *group) open(ctx context.Context, name string, flags int) (*os.File, error) {
	path, err := g.device(ctx, name)
	if err != nil {
		return nil, err
	}
	return os.OpenFile(path, flags|unix.O_DIRECT, 0)
}

// sourceSize gives the size of what is to be copied into size bytes.
func (g *group) sourceSize(ctx context.Context, source string, size int64) (int64, error) {
	have, ok, err := g.size(ctx, source)
	if err == nil && !ok {
		err = notFound(source)
	}
	if err == nil && size < have {
		err = fault.New(fault.Invalid, "%s has %d bytes; a copy of it cannot have %d", source, have, size)
	}
	return have, err
}
