package backendtest

import "clinker/internal/fault"

// fill makes volumes until the pool is full, or a few where it cannot be filled.
func (p *pool) fill() (names []string) {
	p.Helper()
	for p.Fill || len(names) < 3 {
		name := p.volume()
		err := p.Create(p.Context(), name, p.Unit)
		if p.Fill && fault.Is(err, fault.NoSpace) {
			break
		}
		p.ok(err)
		names = append(names, name)
	}
	return names
}

// soiled fills the pool with a tenant's bytes and frees it all again.
func (p *pool) soiled() {
	p.Helper()
	old := p.fill()
	for _, name := range old {
		p.write(name, newPattern(), 0, p.Unit)
	}
	p.gone(old...)
}

func noOldBytes(p *pool) {
	p.soiled()
	for _, name := range p.fill() {
		p.blank(name, 0, p.Unit)
	}
}

func noOldBytesInExtension(p *pool) {
	p.soiled()
	name := p.made(p.Unit)
	p.ok(p.Extend(p.Context(), name, 3*p.Unit))
	p.blank(name, 0, 3*p.Unit)
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
	for _, name := range p.fill() {
		p.blank(name, 0, p.Unit)
	}
}
