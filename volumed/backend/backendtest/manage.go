package backendtest

import (
	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// stranger makes one of a volume or snapshot of ours.
func (p *pool) stranger(name string) (reference string) {
	p.Helper()
	reference = "stranger-" + name
	for range 2 { // the second time it is one already
		p.ok(p.Unmanage(p.Context(), name, reference))
	}
	p.hasNot(name)
	return reference
}

func (p *pool) candidate(reference string) (backend.Candidate, bool) {
	p.Helper()
	all, err := p.Manageable(p.Context())
	p.ok(err)
	for _, c := range all {
		if c.Name == reference {
			return c, true
		}
	}
	return backend.Candidate{}, false
}

func manage(p *pool) {
	ctx, first, n := p.Context(), p.made(p.Unit), newPattern()
	p.write(first, n, 0, p.Unit)
	reference := p.stranger(first)
	if c, ok := p.candidate(reference); !ok || c.Bytes != p.Unit || c.Snapshot || c.Refusal != "" {
		p.Fatalf("Manageable shows %+v, %v", c, ok)
	}
	name := p.volume()
	for range 2 { // the second time it is there already
		p.ok(p.Manage(ctx, backend.Adoption{Reference: reference, Name: name, Bytes: 2 * p.Unit}))
	}
	p.has(name, 2*p.Unit)
	p.holds(name, n, 0, p.Unit)
	p.blank(name, p.Unit, p.Unit)
	if _, ok := p.candidate(reference); ok {
		p.Fatal("Manageable shows what has another name now")
	}
	err := p.Manage(ctx, backend.Adoption{Reference: reference, Name: p.volume(), Bytes: p.Unit})
	p.refused(err, fault.NotFound)

	f := p.open(name)
	if c, ok := p.candidate(name); !ok || c.Refusal == "" {
		p.Fatalf("Manageable shows %+v of what is open", c)
	}
	p.refused(p.Manage(ctx, backend.Adoption{Reference: name, Name: p.volume(), Bytes: p.Unit}), fault.Busy)
	p.ok(f.Close())
	manageTaken(p, name)
}

// manageTaken: what is there is never replaced, and no other name is taken for one.
func manageTaken(p *pool, name string) {
	ctx, second := p.Context(), p.made(p.Unit)
	reference := p.stranger(second)
	p.refused(p.Manage(ctx, backend.Adoption{Reference: reference, Name: name, Bytes: p.Unit}), fault.Conflict)
	p.refused(p.Unmanage(ctx, name, reference), fault.Conflict)
	p.has(name, 2*p.Unit)
	for _, wrong := range []string{"", "..", "a/b", "/dev/null", ".hidden", backend.TrashName(second, 1)} {
		err := p.Manage(ctx, backend.Adoption{Reference: wrong, Name: second, Bytes: p.Unit})
		if code := fault.CodeOf(err); code != fault.Invalid && code != fault.NotFound {
			p.Fatalf("the reference %q: %v", wrong, err)
		}
	}
	p.refused(p.Manage(ctx, backend.Adoption{Reference: reference, Name: "stranger", Bytes: p.Unit}), fault.Invalid)
	p.ok(p.Manage(ctx, backend.Adoption{Reference: reference, Name: second, Bytes: p.Unit}))
	p.has(second, p.Unit)
}

func manageSnapshot(p *pool) {
	ctx, name, snapshot := p.Context(), p.made(p.Unit), p.snapshot()
	before, after := newPattern(), newPattern()
	p.write(name, before, 0, p.Unit)
	p.ok(p.Snapshot(ctx, name, snapshot))
	p.write(name, after, 0, p.Unit/2)
	reference := p.stranger(snapshot)
	c, ok := p.candidate(reference)
	if !ok || c.Refusal != "" || c.Bytes != p.Unit {
		p.Fatalf("Manageable shows %+v, %v", c, ok)
	}
	again := p.snapshot()
	adoption := backend.Adoption{Reference: reference, Name: again, Bytes: p.Unit, Origin: name}
	if c.Origin != "" {
		adoption.Origin = p.volume()
		p.refused(p.Manage(ctx, adoption), fault.Conflict)
		adoption.Origin = name
	}
	if p.HoldsOrigin {
		p.refused(p.Manage(ctx, backend.Adoption{Reference: reference, Name: p.volume(), Bytes: p.Unit}), fault.Conflict)
	}
	p.ok(p.Manage(ctx, adoption))
	p.has(again, p.Unit)
	p.holds(again, before, 0, p.Unit)
	p.holds(name, after, 0, p.Unit/2)
}
