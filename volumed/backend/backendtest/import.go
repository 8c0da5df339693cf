package backendtest

import (
	"bytes"
	"context"
	"errors"
	"os"

	"clinker/internal/fault"
)

// writing gives a writer of the pattern to the first bytes of a path.
func (p *pool) writing(n pattern, bytes int64) func(context.Context, string, bool) error {
	return func(_ context.Context, path string, blank bool) error {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		if blank {
			p.reads(f, make([]byte, bytes))
		}
		p.writeTo(f, n, 0, bytes)
		return nil
	}
}

// reads checks what a file begins with.
func (p *pool) reads(f *os.File, want []byte) {
	p.Helper()
	got := make([]byte, len(want))
	_, err := f.ReadAt(got, 0)
	p.ok(err)
	if !bytes.Equal(got, want) {
		p.Fatal("what is called blank does not read as zeroes")
	}
}

func imported(p *pool) {
	ctx, volume, n := p.Context(), p.volume(), newPattern()
	called := 0
	err := p.Import(ctx, volume, p.Unit, func(ctx context.Context, path string, blank bool) error {
		called++
		p.hasNot(volume)
		return p.writing(n, p.Unit/2)(ctx, path, blank)
	})
	p.ok(err)
	p.has(volume, p.Unit)
	p.holds(volume, n, 0, p.Unit/2)
	again := func(context.Context, string, bool) error { called++; return nil }
	p.ok(p.Import(ctx, volume, p.Unit, again)) // exists: nothing happens
	p.refused(p.Import(ctx, volume, 2*p.Unit, again), fault.Conflict)
	p.refused(p.Import(ctx, "root", p.Unit, again), fault.Invalid)
	p.refused(p.Import(ctx, p.volume(), 0, again), fault.Invalid)
	if called != 1 {
		p.Errorf("the volume was written to %d times", called)
	}
	p.holds(volume, n, 0, p.Unit/2)
	p.gone(volume)
}

// importFailed: what was written goes, and a further try begins with nothing.
func importFailed(p *pool) {
	volume, before := p.volume(), p.capacity().ProvisionedBytes
	broken := errors.New("broken")
	err := p.Import(p.Context(), volume, p.Unit, func(ctx context.Context, path string, blank bool) error {
		return errors.Join(p.writing(newPattern(), p.Unit)(ctx, path, blank), broken)
	})
	if !errors.Is(err, broken) {
		p.Fatalf("got %v, want what the writer said", err)
	}
	p.hasNot(volume)
	n := newPattern()
	p.ok(p.Import(p.Context(), volume, p.Unit, p.writing(n, p.Unit/2)))
	p.holds(volume, n, 0, p.Unit/2)
	p.gone(volume)
	if after := p.capacity().ProvisionedBytes; after != before {
		p.Errorf("the pool holds %d bytes more than before", after-before)
	}
}
