package backendtest

import (
	"context"

	"clinker/internal/fault"
)

func cloneOfVolume(p *pool) {
	ctx, source, clone, n := p.Context(), p.made(p.Unit), p.volume(), newPattern()
	p.write(source, n, 0, p.Unit)
	var told int64
	err := p.Clone(ctx, source, clone, 2*p.Unit, func(done int64) {
		if done < told || done > 2*p.Unit {
			p.Errorf("progress went from %d to %d of %d bytes", told, done, p.Unit)
		}
		told = done
	})
	p.ok(err)
	p.has(clone, 2*p.Unit)
	p.holds(clone, n, 0, p.Unit)
	p.blank(clone, p.Unit, p.Unit)

	// The two have nothing to do with each other any more.
	p.write(clone, newPattern(), 0, p.Unit/2)
	p.holds(source, n, 0, p.Unit)
	p.ok(p.Clone(ctx, source, clone, 2*p.Unit, silent)) // exists: nothing happens
	p.holds(clone, n, p.Unit/2, p.Unit/2)
	p.refused(p.Clone(ctx, source, clone, 3*p.Unit, silent), fault.Conflict)
	p.gone(source)
	p.holds(clone, n, p.Unit/2, p.Unit/2)
	if len(p.trashed()) != 0 {
		p.Errorf("the clone left %v", p.trashed())
	}
}

func cloneOfSnapshot(p *pool) {
	ctx, volume, snapshot, clone := p.Context(), p.made(p.Unit), p.snapshot(), p.volume()
	before := newPattern()
	p.write(volume, before, 0, p.Unit)
	p.ok(p.Snapshot(ctx, volume, snapshot))
	p.write(volume, newPattern(), 0, p.Unit)
	p.ok(p.Clone(ctx, snapshot, clone, p.Unit, silent))
	p.has(clone, p.Unit)
	p.holds(clone, before, 0, p.Unit)
	p.gone(snapshot, volume)
	p.holds(clone, before, 0, p.Unit)
}

// cloneCancelled stops the copying as soon as it has begun, and then does it again.
func cloneCancelled(p *pool) {
	source, clone, n := p.made(p.Unit), p.volume(), newPattern()
	p.write(source, n, 0, p.Unit)
	before := p.capacity().ProvisionedBytes
	ctx, cancel := context.WithCancel(p.Context())
	defer cancel()
	err := p.Clone(ctx, source, clone, p.Unit, func(int64) { cancel() })
	if err != nil {
		p.hasNot(clone)
	} else if !p.OneStepClone {
		p.Fatal("the clone went on after its context had ended")
	}
	p.ok(p.Clone(p.Context(), source, clone, p.Unit, silent))
	p.holds(clone, n, 0, p.Unit)
	p.gone(clone)
	if after := p.capacity().ProvisionedBytes; after != before {
		p.Errorf("the pool holds %d bytes more than before", after-before)
	}
	p.holds(source, n, 0, p.Unit)
}
