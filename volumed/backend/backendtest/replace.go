package backendtest

import (
	"context"
	"errors"
	"os"

	"clinker/internal/fault"
)

// over is writing for Replace: where the path is not blank all of it is written.
func (p *pool) over(n pattern, bytes, size int64) func(context.Context, string, bool) error {
	return func(ctx context.Context, path string, blank bool) error {
		if !blank {
			p.ok(zeroed(path, size))
		}
		return p.writing(n, bytes)(ctx, path, blank)
	}
}

func zeroed(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, size), 0)
	return errors.Join(err, f.Close())
}

// replaced writes over a volume; its snapshot keeps what it was.
func replaced(p *pool) {
	ctx, name, snapshot := p.Context(), p.made(p.Unit), p.snapshot()
	before, after := newPattern(), newPattern()
	p.write(name, before, 0, p.Unit)
	p.ok(p.Snapshot(ctx, name, snapshot))

	f := p.open(name)
	called := func(context.Context, string, bool) error { p.Error("it was written to"); return nil }
	p.refused(p.Replace(ctx, name, p.Unit, called), fault.Busy)
	p.ok(f.Close())
	p.refused(p.Replace(ctx, name, 2*p.Unit, called), fault.Conflict)
	p.refused(p.Replace(ctx, name, 0, called), fault.Invalid)
	p.refused(p.Replace(ctx, "root", p.Unit, called), fault.Invalid)
	p.holds(name, before, 0, p.Unit)

	for range 2 {
		p.ok(p.Replace(ctx, name, p.Unit, p.over(after, p.Unit/2, p.Unit)))
		p.has(name, p.Unit)
		if length := p.length(name); length != p.Unit {
			p.Errorf("the device has %d bytes, want %d", length, p.Unit)
		}
		p.holds(name, after, 0, p.Unit/2)
		p.blank(name, p.Unit/2, p.Unit/2)
		p.holds(snapshot, before, 0, p.Unit)
	}
	p.gone(snapshot)
	p.gone(name)
	p.agrees()
}

// replaceFailed: the volume is as it was unless it is written over in its place,
// and a further try makes it whole.
func replaceFailed(p *pool) {
	ctx, name, before := p.Context(), p.made(p.Unit), newPattern()
	p.write(name, before, 0, p.Unit)
	broken, inPlace := errors.New("broken"), false
	err := p.Replace(ctx, name, p.Unit, func(ctx context.Context, path string, blank bool) error {
		inPlace = !blank
		return errors.Join(p.writing(newPattern(), p.Unit/2)(ctx, path, blank), broken)
	})
	if !errors.Is(err, broken) {
		p.Fatalf("got %v, want what the writer said", err)
	}
	p.has(name, p.Unit)
	if !inPlace {
		p.holds(name, before, 0, p.Unit)
	}
	n := newPattern()
	p.cut(func(ctx context.Context) error { return p.Replace(ctx, name, p.Unit, p.over(n, p.Unit, p.Unit)) })
	p.holds(name, n, 0, p.Unit)
	for _, entry := range p.trashed() {
		p.ok(p.Purge(p.Context(), entry.Name, freely))
	}
	p.holds(name, n, 0, p.Unit)
	p.gone(name)
	p.agrees()
}
