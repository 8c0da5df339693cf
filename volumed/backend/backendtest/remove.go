package backendtest

import (
	"context"
	"errors"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

func remove(p *pool) {
	ctx, name, n := p.Context(), p.made(p.Unit), newPattern()
	f := p.open(name)
	p.writeTo(f, n, 0, p.Unit)
	p.refused(p.Delete(ctx, name), fault.Busy)
	p.has(name, p.Unit)
	p.ok(f.Close())
	p.holds(name, n, 0, p.Unit)

	for range 2 { // the second time it is gone already
		p.ok(p.Delete(ctx, name))
	}
	p.hasNot(name)
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

// haltingly deletes a volume and stops its wipe again and again, each time a little
// later.
func (p *pool) haltingly(name string, size int64) {
	p.Helper()
	p.ok(p.Delete(p.Context(), name))
	trash := p.trashed()
	if len(trash) == 0 {
		return // nothing needs a wipe here
	}
	if len(trash) != 1 || trash[0].Bytes < size {
		p.Fatalf("Trash shows %v, want one entry of %d bytes", trash, size)
	}
	var spent int64
	for allowed := 0; !p.purged(trash[0], allowed, &spent); allowed = 2*allowed + 1 {
		if len(p.trashed()) != 1 {
			p.Fatalf("Trash shows %v after a wipe cut short", p.trashed())
		}
	}
	if spent < size || spent > 2*size {
		p.Errorf("%d bytes were spent on a wipe of %d", spent, size)
	}
	if left := p.trashed(); len(left) != 0 {
		p.Errorf("Trash shows %v after the wipe", left)
	}
	p.ok(p.Purge(p.Context(), trash[0].Name, freely))
}

// purged lets a wipe write so many times, and tells whether that did.
func (p *pool) purged(entry backend.Entry, allowed int, spent *int64) bool {
	p.Helper()
	enough := errors.New("the budget is used up")
	err := p.Purge(p.Context(), entry.Name, func(_ context.Context, bytes int) error {
		if allowed--; allowed < 0 {
			return enough
		}
		*spent += int64(bytes)
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		p.Fatalf("got %v, want spend's own error", err)
	}
	return err == nil
}
