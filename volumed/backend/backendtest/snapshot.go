package backendtest

import "clinker/internal/fault"

func snapshot(p *pool) {
	ctx, name, snapshot := p.Context(), p.made(p.Unit), p.snapshot()
	before, after := newPattern(), newPattern()
	p.write(name, before, 0, p.Unit)
	p.ok(p.Snapshot(ctx, name, snapshot))
	p.write(name, after, 0, p.Unit/2)
	p.ok(p.Snapshot(ctx, name, snapshot)) // does not take it anew
	p.holds(snapshot, before, 0, p.Unit)
	p.holds(name, after, 0, p.Unit/2)
	p.holds(name, before, p.Unit/2, p.Unit/2)
	p.has(name, p.Unit)
	p.has(snapshot, p.Unit)

	p.gone(snapshot)
	p.hasNot(snapshot)
	p.holds(name, after, 0, p.Unit/2)
}

// snapshotAndExtend also deletes the volume in the end.
func snapshotAndExtend(p *pool) {
	ctx, name, snapshot, n := p.Context(), p.made(p.Unit), p.snapshot(), newPattern()
	p.write(name, n, 0, p.Unit)
	p.ok(p.Snapshot(ctx, name, snapshot))
	p.ok(p.Extend(ctx, name, 2*p.Unit))
	p.holds(name, n, 0, p.Unit)
	p.blank(name, p.Unit, p.Unit)
	p.holds(snapshot, n, 0, p.Unit)
	p.has(snapshot, p.Unit)

	err := p.Delete(ctx, name)
	if !p.HoldsOrigin {
		p.ok(err)
		p.holds(snapshot, n, 0, p.Unit)
		return
	}
	p.refused(err, fault.Busy)
	p.has(name, p.Unit)
	p.ok(p.Delete(ctx, snapshot))
	p.ok(p.Delete(ctx, name)) // although the snapshot is not wiped yet
	p.hasNot(name)
}
