package lvm

import (
	"context"
	"strconv"

	"clinker/internal/fault"
)

// inBytes is a size as LVM's programs read it.
func inBytes(size int64) string { return strconv.FormatInt(size, 10) + "b" }

// grow extends a volume; that it is as long already is found out only when
// lvextend refuses.
func (g *group) grow(ctx context.Context, name string, size int64) error {
	refused := g.change(ctx, "lvextend", "-y", "-L", inBytes(size), g.path(name))
	if refused == nil || fault.Is(refused, fault.NotFound) || fault.Is(refused, fault.Timeout) {
		return refused
	}
	v, ok, err := g.find(ctx, name)
	switch {
	case err != nil:
		return err
	case !ok:
		return notFound(name)
	case v.Bytes > size:
		return fault.New(fault.Invalid, "%s has %d bytes; it cannot shrink to %d", name, v.Bytes, size)
	case v.Bytes < size:
		return refused
	}
	return g.settle(ctx, name, size)
}

// settle completes an extension that was killed between LVM's metadata and the
// kernel's table.
func (g *group) settle(ctx context.Context, name string, size int64) error {
	d, active, err := g.mapped(name)
	if err != nil || !active || d.Bytes() == size && !d.Suspended {
		return err
	}
	return g.refresh(ctx, name)
}
