package backendtest

// most is the size of the largest volume that the test may make.
func (p *pool) most() int64 {
	p.Helper()
	if p.Fill {
		return p.capacity().FreeBytes
	}
	return 3 * p.Unit
}

// noOldBytes fills the pool with a tenant's bytes and frees it again. Then nothing of
// them shows, neither in a new volume nor in what it is extended by.
func noOldBytes(p *pool) {
	size := p.most()
	old := p.made(size)
	p.write(old, newPattern(), 0, size)
	p.haltingly(old, size)
	name := p.made(p.Unit)
	p.ok(p.Extend(p.Context(), name, size))
	p.blank(name, 0, size)
}

// noOldBytesOfSnapshots: what a snapshot kept of its volume is a tenant's, too.
func noOldBytesOfSnapshots(p *pool) {
	ctx, name, snapshot := p.Context(), p.made(p.Unit), p.snapshot()
	p.write(name, newPattern(), 0, p.Unit)
	p.ok(p.Snapshot(ctx, name, snapshot))
	p.write(name, newPattern(), 0, p.Unit)
	clone := p.volume()
	p.ok(p.Clone(ctx, snapshot, clone, p.Unit, silent))
	p.gone(clone, snapshot, name)
	size := p.most()
	p.blank(p.made(size), 0, size)
}
