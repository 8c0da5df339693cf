package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"clinker/tempest/load"
)

// Thick compares Clinker on thick LVM with LVM alone, in one guest and one run:
// everything there is several times slower than on hardware, so that only their
// relation means anything.
type Thick struct {
	Rounds   int        `json:"rounds"`
	LVCreate load.Times `json:"lvcreate"`
	Create   load.Times `json:"create"` // from the request until available
	LVRemove load.Times `json:"lvremove"`
	Delete   load.Times `json:"delete"` // from the request until gone
	Ratio    float64    `json:"ratio"`  // of the medians, for creating
}

// thick runs the rounds. A volume and a bare one are made in turn, so that what
// slows the guest down meets both; then both are deleted in turn.
func (b *bench) thick(ctx context.Context, dir string) (*Thick, error) {
	g, err := startGuest(ctx, dir, b.Binary, 2*b.Rounds+4)
	if g != nil {
		defer g.stop()
	}
	if err != nil {
		return nil, err
	}
	one, err := load.NewOne(g.cloud.endpoint, b.Poll, 2*time.Minute)
	if err != nil {
		return nil, err
	}
	r := rounds{guest: g, one: one}
	if err := r.create(ctx, -1); err != nil { // not counted: the first opens connections
		return nil, err
	}
	r.times = [4]load.Samples{}
	for i := range b.Rounds {
		if err := r.create(ctx, i); err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "\rthick LVM: %d of %d", i+1, b.Rounds)
	}
	fmt.Fprintln(os.Stderr)
	for i := range b.Rounds {
		if err := r.remove(ctx, i); err != nil {
			return nil, err
		}
	}
	return r.result(b.Rounds), nil
}

// rounds holds the times of lvcreate, create, lvremove, delete.
type rounds struct {
	guest *guest
	one   *load.One
	ids   []string
	times [4]load.Samples
}

func (r *rounds) create(ctx context.Context, i int) error {
	took, err := r.guest.time(ctx, fmt.Sprintf("lvcreate -y -Wy -Zy -L 1G -n bare%d vg0", i+1))
	if err != nil {
		return err
	}
	r.times[0] = append(r.times[0], took)
	id, took, err := r.one.Create()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, r.guest.log(ctx))
	}
	r.times[1] = append(r.times[1], took)
	if i >= 0 {
		r.ids = append(r.ids, id)
	}
	return nil
}

func (r *rounds) remove(ctx context.Context, i int) error {
	took, err := r.guest.time(ctx, fmt.Sprintf("lvremove -y vg0/bare%d", i+1))
	if err != nil {
		return err
	}
	r.times[2] = append(r.times[2], took)
	if took, err = r.one.Delete(r.ids[i]); err != nil {
		return fmt.Errorf("%w\n%s", err, r.guest.log(ctx))
	}
	r.times[3] = append(r.times[3], took)
	return nil
}

func (r *rounds) result(n int) *Thick {
	t := &Thick{Rounds: n, LVCreate: r.times[0].Times(), Create: r.times[1].Times(),
		LVRemove: r.times[2].Times(), Delete: r.times[3].Times()}
	t.Ratio = t.Create.P50 / t.LVCreate.P50
	return t
}

// time runs a command in the guest and gives what it took there: the way to the
// guest and back is no part of LVM.
func (g *guest) time(ctx context.Context, command string) (time.Duration, error) {
	out, err := g.machine.Script(ctx, "a=$EPOCHREALTIME; "+command+" >/dev/null; b=$EPOCHREALTIME; echo ${a/./} ${b/./}")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return 0, fmt.Errorf("%s: %q is no pair of times", command, out)
	}
	begin, _ := strconv.ParseInt(fields[0], 10, 64)
	end, _ := strconv.ParseInt(fields[1], 10, 64)
	return time.Duration(end-begin) * time.Microsecond, nil
}

func (t *Thick) print(out io.Writer) {
	if t == nil {
		return
	}
	fmt.Fprintf(out, "\n%-44s%10s%10s%10s\n", fmt.Sprintf("thick LVM in the testbed's guest, %d each", t.Rounds), "p50 ms", "p99 ms", "max ms")
	for _, line := range []struct {
		what string
		load.Times
	}{
		{"lvcreate", t.LVCreate}, {"create until available", t.Create}, {"lvremove", t.LVRemove}, {"delete until gone", t.Delete},
	} {
		fmt.Fprintf(out, "%-44s%10.1f%10.1f%10.1f\n", line.what, line.P50, line.P99, line.Max)
	}
}
