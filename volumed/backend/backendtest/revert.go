package backendtest

import (
	"context"

	"clinker/internal/fault"
)

// revert puts a volume back, twice, and the snapshot is not used up by it.
func revert(p *pool) {
	ctx, name, snapshot := p.Context(), p.made(p.Unit), p.snapshot()
	before, after := newPattern(), newPattern()
	p.write(name, before, 0, p.Unit)
	p.refused(p.Revert(ctx, name, snapshot, p.Unit, silent), fault.NotFound)
	p.ok(p.Snapshot(ctx, name, snapshot))
	for range 2 {
		f := p.open(name)
		p.writeTo(f, after, p.Unit/4, p.Unit/2)
		p.refused(p.Revert(ctx, name, snapshot, p.Unit, silent), fault.Busy)
		p.ok(f.Close())
		p.holds(name, after, p.Unit/4, p.Unit/2)

		var told int64
		p.ok(p.Revert(ctx, name, snapshot, p.Unit, func(done int64) { told = done }))
		if told != p.Unit {
			p.Errorf("progress ended at %d of %d bytes", told, p.Unit)
		}
		p.holds(name, before, 0, p.Unit)
		p.holds(snapshot, before, 0, p.Unit)
		if length := p.length(name); length != p.Unit {
			p.Errorf("the device has %d bytes, want %d", length, p.Unit)
		}
	}
	p.has(name, p.Unit)
	p.has(snapshot, p.Unit)
	p.write(name, after, 0, p.Unit)
	p.holds(snapshot, before, 0, p.Unit)
	p.gone(snapshot)
	p.gone(name)
	p.agrees()
}

// revertExtended: the volume has grown since the snapshot, and stays so long. A
// copy of the snapshot may be as short as the volume was.
func revertExtended(p *pool) {
	ctx, name, snapshot, clone := p.Context(), p.made(p.Unit), p.snapshot(), p.volume()
	before, after := newPattern(), newPattern()
	p.write(name, before, 0, p.Unit)
	p.ok(p.Snapshot(ctx, name, snapshot))
	p.ok(p.Extend(ctx, name, 2*p.Unit))
	p.write(name, after, 0, 2*p.Unit)
	p.ok(p.Clone(ctx, snapshot, clone, p.Unit, silent))
	p.has(clone, p.Unit)
	if length := p.length(clone); length != p.Unit {
		p.Errorf("the copy's device has %d bytes, want %d", length, p.Unit)
	}
	p.holds(clone, before, 0, p.Unit)

	p.refused(p.Revert(ctx, name, snapshot, p.Unit, silent), fault.Invalid)
	p.holds(name, after, 0, 2*p.Unit)
	p.ok(p.Revert(ctx, name, snapshot, 2*p.Unit, silent))
	p.has(name, 2*p.Unit)
	if length := p.length(name); length != 2*p.Unit {
		p.Errorf("the device has %d bytes, want %d", length, 2*p.Unit)
	}
	p.holds(name, before, 0, p.Unit)
	p.blank(name, p.Unit, p.Unit)
	p.holds(snapshot, before, 0, p.Unit)
}

// revertInterrupted cuts it short at several instants and repeats it.
func revertInterrupted(p *pool) {
	name, snapshot, before := p.made(p.Unit), p.snapshot(), newPattern()
	p.write(name, before, 0, p.Unit)
	p.ok(p.Snapshot(p.Context(), name, snapshot))
	p.write(name, newPattern(), 0, p.Unit)
	p.cut(func(ctx context.Context) error { return p.Revert(ctx, name, snapshot, p.Unit, silent) })
	p.has(name, p.Unit)
	p.holds(name, before, 0, p.Unit)
	p.holds(snapshot, before, 0, p.Unit)
	for _, entry := range p.trashed() {
		p.ok(p.Purge(p.Context(), entry.Name, freely))
	}
	p.holds(name, before, 0, p.Unit)
	p.gone(snapshot, name)
	p.agrees()
}
