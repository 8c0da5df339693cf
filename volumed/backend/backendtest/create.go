package backendtest

import (
	"context"
	"path/filepath"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

func create(p *pool) {
	name := p.made(p.Unit)
	p.has(name, p.Unit)
	if entry, _ := p.listed(name); p.length(name) != entry.Bytes {
		p.Errorf("the device has %d bytes, List says %d", p.length(name), entry.Bytes)
	}
	path, err := p.Device(p.Context(), name)
	p.ok(err)
	if !filepath.IsAbs(path) {
		p.Errorf("the device's path is %q", path)
	}
	p.blank(name, 0, p.Unit)
	n := newPattern()
	p.write(name, n, 0, p.Unit)
	p.ok(p.Create(p.Context(), name, p.Unit))
	p.holds(name, n, 0, p.Unit)
}

func createConflict(p *pool) {
	name := p.made(p.Unit)
	p.refused(p.Create(p.Context(), name, 2*p.Unit), fault.Conflict)
	p.refused(p.Create(p.Context(), name, p.Unit/2), fault.Conflict)
	if length := p.length(name); length != p.Unit {
		p.Errorf("the volume has %d bytes after the refusal, want %d", length, p.Unit)
	}
}

func invalidNames(p *pool) {
	ctx, good := p.Context(), p.made(p.Unit)
	for _, bad := range []string{
		"", ".", "..", "root", "pool", "snapshot-1", "volume-", "volume-../x", "volume-a/b", "volume-a b", "-n", "@tag",
		"volume-a_tdata", "volume-$(reboot)", "_trash-x", backend.TrashName(good, 1),
	} {
		p.refused(p.Create(ctx, bad, p.Unit), fault.Invalid)
		p.refused(p.Extend(ctx, bad, p.Unit), fault.Invalid)
		p.refused(p.Delete(ctx, bad), fault.Invalid)
		p.refused(p.Snapshot(ctx, bad, p.snapshot()), fault.Invalid)
		p.refused(p.Snapshot(ctx, good, bad), fault.Invalid)
		p.refused(p.Clone(ctx, bad, p.volume(), p.Unit, silent), fault.Invalid)
		p.refused(p.Clone(ctx, good, bad, p.Unit, silent), fault.Invalid)
		_, err := p.Device(ctx, bad)
		p.refused(err, fault.Invalid)
	}
	for _, bad := range []string{"", good, "root", "_trash-", "_trash-x", "_trash-volume-a", "_trash-volume-../../a-1"} {
		p.refused(p.Purge(ctx, bad, freely), fault.Invalid)
	}
	p.has(good, p.Unit)
}

func invalidSizes(p *pool) {
	ctx, good := p.Context(), p.made(p.Unit)
	for _, size := range []int64{0, -1, -p.Unit} {
		p.refused(p.Create(ctx, p.volume(), size), fault.Invalid)
		p.refused(p.Extend(ctx, good, size), fault.Invalid)
		p.refused(p.Clone(ctx, good, p.volume(), size, silent), fault.Invalid)
	}
}

func missing(p *pool) {
	ctx, name := p.Context(), p.volume()
	p.refused(p.Extend(ctx, name, p.Unit), fault.NotFound)
	p.refused(p.Snapshot(ctx, name, p.snapshot()), fault.NotFound)
	p.refused(p.Clone(ctx, name, p.volume(), p.Unit, silent), fault.NotFound)
	_, err := p.Device(ctx, name)
	p.refused(err, fault.NotFound)
	p.ok(p.Delete(ctx, name))
	p.ok(p.Purge(ctx, backend.TrashName(name, 1), func(context.Context, int) error {
		p.Error("Purge of nothing wants to write")
		return nil
	}))
}

func silent(int64) {}
