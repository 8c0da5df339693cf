package backendtest

import (
	"context"
	"errors"
	"sync"
	"time"
)

// concurrent works on many names at once.
func concurrent(p *pool) {
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if err := p.life(p.volume(), p.volume()); err != nil {
				p.Error(err)
			}
		})
	}
	group.Wait()
	p.agrees()
}

// life is all that can happen to a volume; no step may meet another's.
func (p *pool) life(name, clone string) error {
	ctx := p.Context()
	steps := []func() error{
		func() error { return p.Create(ctx, name, p.Unit) },
		func() error { _, err := p.Device(ctx, name); return err },
		func() error { return p.Clone(ctx, name, clone, p.Unit, silent) },
		func() error { return p.Extend(ctx, name, 2*p.Unit) },
		func() error { return p.Delete(ctx, name) },
		func() error { _, err := p.Capacity(ctx); return err },
		func() error { return p.Delete(ctx, clone) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// interrupted cuts each step short at several instants and then repeats it.
func interrupted(p *pool) {
	name, snapshot, clone, n := p.volume(), p.snapshot(), p.volume(), newPattern()
	p.cut(func(ctx context.Context) error { return p.Create(ctx, name, p.Unit) })
	p.write(name, n, 0, p.Unit)
	p.cut(func(ctx context.Context) error { return p.Snapshot(ctx, name, snapshot) })
	p.cut(func(ctx context.Context) error { return p.Clone(ctx, snapshot, clone, p.Unit, silent) })
	p.cut(func(ctx context.Context) error { return p.Delete(ctx, snapshot) })
	p.cut(func(ctx context.Context) error { return p.Extend(ctx, name, 2*p.Unit) })
	p.holds(clone, n, 0, p.Unit)
	p.holds(name, n, 0, p.Unit)
	p.blank(name, p.Unit, p.Unit)
	p.has(name, 2*p.Unit)
	p.cut(func(ctx context.Context) error { return p.Delete(ctx, name) })
	p.hasNot(name)
	for _, entry := range p.trashed() {
		p.cut(func(ctx context.Context) error { return p.Purge(ctx, entry.Name, freely) })
	}
	p.gone(clone)
	p.agrees()
}

// cut gives the step less time than it needs, and in the end all it wants.
func (p *pool) cut(step func(context.Context) error) {
	p.Helper()
	for _, allowed := range []time.Duration{0, 40 * time.Millisecond, 150 * time.Millisecond, time.Minute} {
		ctx, cancel := context.WithTimeout(p.Context(), allowed)
		err := step(ctx)
		cancel()
		if err == nil {
			return
		}
		if ctx.Err() == nil || allowed == time.Minute {
			p.Fatalf("after %v: %v (cause: %v)", allowed, err, errors.Unwrap(err))
		}
	}
}

// leftover: what a crash left is not seen, and is in nobody's way.
func leftover(p *pool) {
	if p.Leftover == nil {
		return
	}
	ctx, source, n := p.Context(), p.made(p.Unit), newPattern()
	p.write(source, n, 0, p.Unit)
	before := p.capacity().ProvisionedBytes
	created, cloned, deleted := p.volume(), p.volume(), p.volume()
	for _, name := range []string{created, cloned, deleted} {
		p.Leftover(p.T, p.Backend, name)
	}
	for _, name := range []string{created, cloned, deleted} {
		p.hasNot(name)
	}
	p.ok(p.Create(ctx, created, 2*p.Unit))
	p.ok(p.Clone(ctx, source, cloned, p.Unit, silent))
	p.holds(cloned, n, 0, p.Unit)
	p.gone(created, cloned, deleted)
	if after := p.capacity().ProvisionedBytes; after != before {
		p.Errorf("%d bytes of what the crash left are still there", after-before)
	}
}
