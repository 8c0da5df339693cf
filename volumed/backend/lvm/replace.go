package lvm

import (
	"context"
	"errors"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Replace fills a new thin volume and puts the old one aside; a thick volume, for
// which there may be no room twice, is written over. See backend.Backend.
func (b *Backend) Replace(ctx context.Context, name string, size int64, write func(ctx context.Context, path string, blank bool) error) error {
	if err := errors.Join(backend.CheckName(name), backend.CheckSize(size)); err != nil {
		return err
	}
	name = b.asides.logical(name)
	if err := b.idle(ctx, name); err != nil {
		return err
	}
	return b.pool.replace(ctx, name, b.roundUp(size), write)
}

// replace renames twice. A crash between the two leaves no volume, which the
// next call makes.
func (t *thin) replace(ctx context.Context, name string, size int64, write func(context.Context, string, bool) error) error {
	have, ok, err := t.size(ctx, name)
	if err == nil && ok {
		err = backend.SameSize(name, have, size)
	}
	if err != nil {
		return err
	}
	making := t.held.trashName(name)
	defer t.held.hold(making)()
	if err := t.create(ctx, making, size); err != nil {
		return err
	}
	path, err := t.device(ctx, making)
	if err == nil {
		err = write(ctx, path, true)
	}
	if err == nil {
		err = syncDevice(path)
	}
	if err != nil {
		return err
	}
	err = t.change(ctx, "lvrename", t.group.name, name, t.held.trashName(name))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return t.change(ctx, "lvrename", t.group.name, making, name)
}

// replace writes over the volume. What a snapshot has of it the kernel copies to
// the snapshot's store before.
func (t *thick) replace(ctx context.Context, name string, size int64, write func(context.Context, string, bool) error) error {
	have, ok, err := t.size(ctx, name)
	if err == nil && !ok {
		err = notFound(name)
	}
	if err == nil {
		err = backend.SameSize(name, have, size)
	}
	if err != nil {
		return err
	}
	path, err := t.device(ctx, name)
	if err == nil {
		err = write(ctx, path, false)
	}
	if err == nil {
		err = syncDevice(path)
	}
	return err
}
