package lvm

import (
	"context"
	"sync/atomic"
	"time"

	"clinker/internal/fault"
	"clinker/internal/run"
	"clinker/volumed/backend/lvm/mapper"
)

const (
	// reportAge and disksAge bound how old an answer may be that others than
	// ourselves could have changed.
	reportAge = 2 * time.Second
	disksAge  = 5 * time.Minute
	// changers is how many programs that change something run at once. LVM
	// lets one of them work and the others wait; a second one can begin to read
	// the disks meanwhile.
	changers = 2
)

// group is a volume group, and the way to LVM's programs.
type group struct {
	name        string
	extentBytes int64
	config      []string // arguments that every program gets
	reports     *cached[*report]
	disks       *cached[[]string]
	held        held
	wiped       progress
	discard     bool
	slots       chan struct{}
	started     atomic.Int64 // programs, for tests
}

// change runs a program that changes the volume group. What it did is in the
// next report, whether it succeeded or not.
func (g *group) change(ctx context.Context, program string, args ...string) error {
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Timeout, "the volume group was busy all the time")
	}
	defer func() { <-g.slots }()
	defer g.reports.drop()
	_, err := g.run(ctx, program, args...)
	return err
}

// run starts one of LVM's programs. --yes answers what it might ask.
func (g *group) run(ctx context.Context, program string, args ...string) ([]byte, error) {
	g.started.Add(1)
	output, err := run.Output(ctx, append(append([]string{program}, g.config...), args...)...)
	return output, explain(err)
}

// path names a volume as LVM's programs want it.
func (g *group) path(name string) string { return g.name + "/" + name }

func (g *group) roundUp(size int64) int64 {
	return (size + g.extentBytes - 1) / g.extentBytes * g.extentBytes
}

// mapped asks the kernel for an active volume or for one of its layers.
func (g *group) mapped(name string, layer ...string) (mapper.Device, bool, error) {
	return mapper.Lookup(mapper.Name(g.name, name, layer...))
}

// size gives the bytes that a volume shows, false when there is none. Only for
// an inactive one does it need a report.
func (g *group) size(ctx context.Context, name string) (int64, bool, error) {
	d, active, err := g.mapped(name)
	if err != nil || active {
		return d.Bytes(), active, err
	}
	v, ok, err := g.find(ctx, name)
	return v.VirtualBytes(), ok, err
}

// find looks for a volume in a report.
func (g *group) find(ctx context.Context, name string) (logicalVolume, bool, error) {
	r, err := g.reports.get(ctx)
	if err != nil {
		return logicalVolume{}, false, err
	}
	v, ok := r.find(name)
	return v, ok, nil
}

func notFound(name string) error {
	return fault.New(fault.NotFound, "there is no %s in this pool", name)
}
