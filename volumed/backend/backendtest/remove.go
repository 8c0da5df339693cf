package backendtest

import (
	"context"
	"errors"

	"clinker/internal/fault"
)

func remove(p *pool) {
	ctx, name := p.Context(), p.made(p.Unit)
	p.write(name, newPattern(), 0, p.Unit)
	for range 2 { // the second time it is gone already
		p.ok(p.Delete(ctx, name))
		p.hasNot(name)
	}
	_, err := p.Device(ctx, name)
	p.refused(err, fault.NotFound)

	// The name is free at once, more than once, while the old bytes wait.
	for range 2 {
		p.ok(p.Create(ctx, name, 2*p.Unit))
		p.blank(name, 0, 2*p.Unit)
		p.ok(p.Delete(ctx, name))
	}
	p.hasNot(name)
}

func removeInUse(p *pool) {
	ctx, name, n := p.Context(), p.made(p.Unit), newPattern()
	f := p.open(name)
	p.writeTo(f, n, 0, p.Unit)
	p.refused(p.Delete(ctx, name), fault.Busy)
	p.has(name, p.Unit)
	p.ok(f.Close())
	p.holds(name, n, 0, p.Unit)
	p.ok(p.Delete(ctx, name))
	p.hasNot(name)
}

// purge stops the wipe again and again, each time a little later.
func purge(p *pool) {
	ctx, name := p.Context(), p.made(p.Unit)
	p.write(name, newPattern(), 0, p.Unit)
	p.ok(p.Delete(ctx, name))
	trash := p.trashed()
	if len(trash) == 0 {
		return // nothing needs a wipe here
	}
	if len(trash) != 1 || trash[0].Bytes < p.Unit {
		p.Fatalf("Trash shows %v, want one entry of %d bytes", trash, p.Unit)
	}
	enough := errors.New("the budget is used up")
	var spent int64
	for allowed := 0; ; allowed++ {
		left := allowed
		err := p.Purge(ctx, trash[0].Name, func(_ context.Context, bytes int) error {
			if left--; left < 0 {
				return enough
			}
			spent += int64(bytes)
			return nil
		})
		if err == nil {
			break
		}
		if !errors.Is(err, enough) {
			p.Fatalf("got %v, want spend's own error", err)
		}
		if len(p.trashed()) != 1 {
			p.Fatalf("Trash shows %v after a wipe cut short", p.trashed())
		}
	}
	if spent < p.Unit || spent > 2*p.Unit {
		p.Errorf("%d bytes were spent on a wipe of %d", spent, p.Unit)
	}
	if left := p.trashed(); len(left) != 0 {
		p.Errorf("Trash shows %v after the wipe", left)
	}
	p.ok(p.Purge(ctx, trash[0].Name, freely))
}
