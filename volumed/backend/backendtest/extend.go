package backendtest

import "clinker/internal/fault"

func extend(p *pool) {
	ctx, name, n := p.Context(), p.made(p.Unit), newPattern()
	f := p.open(name)
	p.writeTo(f, n, 0, p.Unit)
	for range 2 { // the second time nothing is left to do
		p.ok(p.Extend(ctx, name, 2*p.Unit))
	}
	p.has(name, 2*p.Unit)
	if length := p.length(name); length != 2*p.Unit {
		p.Errorf("the device has %d bytes, want %d", length, 2*p.Unit)
	}
	p.holds(name, n, 0, p.Unit)
	p.blank(name, p.Unit, p.Unit)

	p.refused(p.Extend(ctx, name, p.Unit), fault.Invalid)
	if length := p.length(name); length != 2*p.Unit {
		p.Errorf("the device has %d bytes after a refused shrink, want %d", length, 2*p.Unit)
	}
	// Who had it open all the time can use what was added.
	p.writeTo(f, n, p.Unit, p.Unit)
	p.ok(f.Close())
	p.holds(name, n, 0, 2*p.Unit)
}
