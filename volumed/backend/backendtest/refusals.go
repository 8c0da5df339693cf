package backendtest

import (
	"context"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// refusals shares one volume among all that must be refused without touching it.
func refusals(p *pool) {
	good := p.made(2 * p.Unit)
	p.badNames(good)
	p.badSizes(good)
	p.missing(good)
	p.has(good, 2*p.Unit)
}

// unused gives the name of a volume that is not there.
func unused() string { return backend.VolumeName(uuid.NewString()) }

func silent(int64) {}

func (p *pool) badNames(good string) {
	ctx, snapshot := p.Context(), backend.SnapshotName(uuid.NewString())
	for _, bad := range []string{
		"", ".", "..", "root", "pool", "snapshot-1", "volume-", "volume-../x", "volume-a/b", "volume-a b", "-n", "@tag",
		"volume-a_tdata", "volume-$(reboot)", "_trash-x", backend.TrashName(good, 1),
	} {
		p.refused(p.Create(ctx, bad, p.Unit), fault.Invalid)
		p.refused(p.Extend(ctx, bad, p.Unit), fault.Invalid)
		p.refused(p.Delete(ctx, bad), fault.Invalid)
		p.refused(p.Snapshot(ctx, bad, snapshot), fault.Invalid)
		p.refused(p.Snapshot(ctx, good, bad), fault.Invalid)
		p.refused(p.Clone(ctx, bad, unused(), p.Unit, silent), fault.Invalid)
		p.refused(p.Clone(ctx, good, bad, p.Unit, silent), fault.Invalid)
		_, err := p.Device(ctx, bad)
		p.refused(err, fault.Invalid)
	}
	for _, bad := range []string{"", good, "root", "_trash-", "_trash-x", "_trash-volume-a", "_trash-volume-../../a-1"} {
		p.refused(p.Purge(ctx, bad, freely), fault.Invalid)
	}
}

func (p *pool) badSizes(good string) {
	for _, size := range []int64{0, -1, -p.Unit} {
		p.refused(p.Create(p.Context(), unused(), size), fault.Invalid)
		p.refused(p.Extend(p.Context(), good, size), fault.Invalid)
		p.refused(p.Clone(p.Context(), good, unused(), size, silent), fault.Invalid)
	}
	small := unused()
	p.refused(p.Clone(p.Context(), good, small, p.Unit, silent), fault.Invalid)
	p.hasNot(small)
}

func (p *pool) missing(good string) {
	ctx, name := p.Context(), unused()
	p.refused(p.Extend(ctx, name, p.Unit), fault.NotFound)
	p.refused(p.Snapshot(ctx, name, backend.SnapshotName(uuid.NewString())), fault.NotFound)
	p.refused(p.Clone(ctx, name, unused(), p.Unit, silent), fault.NotFound)
	_, err := p.Device(ctx, name)
	p.refused(err, fault.NotFound)
	p.ok(p.Delete(ctx, name))
	p.ok(p.Purge(ctx, backend.TrashName(good, 1), func(context.Context, int) error {
		p.Error("Purge of nothing wants to write")
		return nil
	}))
}
