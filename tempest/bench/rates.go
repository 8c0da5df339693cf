package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"
)

// rates is the phase that copies whole volumes.
const rates = "rates"

// Rates are how fast bytes move in and out of volumes, beside programs that move
// the same bytes on the same disk in the same run.
type Rates struct {
	Bytes  int64  `json:"bytes"` // of data in each copy, which does not compress
	Rounds int    `json:"rounds"`
	Copies []Rate `json:"copies"`
}

// Rate is that of one kind of copy, in bytes a second: of the fastest of the
// rounds, so that what else the machine does is left out as far as it can be.
type Rate struct {
	What    string  `json:"what"`
	Clinker float64 `json:"clinker"` // from the request until it is done and on the disk
	QEMU    float64 `json:"qemu_img_convert"`
	DD      float64 `json:"dd,omitempty"` // 0 where dd cannot do the same
	Ratio   float64 `json:"ratio"`        // of the faster program's

	// Processor seconds of one copy: of all of Clinker's processes, and of the
	// program, at their best. They say what a busy machine does to the rates.
	ClinkerCPU float64 `json:"clinker_cpu_seconds"`
	QEMUCPU    float64 `json:"qemu_img_convert_cpu_seconds"`
}

// copyKind is a kind of copy: what Clinker does, and from which file the programs
// copy the same bytes.
type copyKind struct {
	what   string
	format string // of the source
	source string
	do     func(ctx context.Context) (id string, err error) // asks, and waits until it is done
	undo   func(ctx context.Context, id string) error
}

// rates runs the phase in a cloud of its own, with two nodes, a store for backups
// and an image service.
func (b *bench) rates(ctx context.Context, dir string) (*Rates, error) {
	r, err := startRates(ctx, dir, b.Binary, int(b.RatesSize))
	if r != nil {
		defer r.stop()
	}
	if err != nil {
		return nil, err
	}
	kinds, err := r.kinds(ctx)
	if err != nil {
		return nil, err
	}
	result := &Rates{Bytes: r.bytes, Rounds: b.RatesRounds}
	for _, kind := range kinds {
		if !b.wantsKind(kind.what) {
			continue
		}
		rate, err := r.compare(ctx, kind, b.RatesRounds)
		if err != nil {
			return result, fmt.Errorf("%s: %w", kind.what, err)
		}
		result.Copies = append(result.Copies, rate)
	}
	return result, nil
}

// wantsKind tells whether a kind of copy is asked for, by some word of its name.
func (b *bench) wantsKind(what string) bool {
	return len(b.RatesKinds) == 0 || slices.ContainsFunc(b.RatesKinds, func(word string) bool { return strings.Contains(what, word) })
}

// compare runs the rounds of one kind: all three in turn, beginning with another
// each time.
func (r *ratesCloud) compare(ctx context.Context, kind copyKind, rounds int) (Rate, error) {
	best, used := [3]time.Duration{}, [3]float64{}
	for round := range rounds {
		for i := range best {
			which := (i + round) % len(best)
			took, cpu, err := r.measure(ctx, kind, which)
			if err != nil {
				return Rate{}, err
			}
			if took > 0 && (best[which] == 0 || took < best[which]) {
				best[which] = took
			}
			if used[which] == 0 || cpu < used[which] {
				used[which] = cpu
			}
			fmt.Fprintf(os.Stderr, "\r%-40s round %d of %d", kind.what, round+1, rounds)
		}
	}
	fmt.Fprintln(os.Stderr)
	rate := Rate{What: kind.what, ClinkerCPU: used[0], QEMUCPU: used[1], Clinker: r.perSecond(best[0]), QEMU: r.perSecond(best[1]), DD: r.perSecond(best[2])}
	rate.Ratio = rate.Clinker / max(rate.QEMU, rate.DD)
	return rate, nil
}

func (r *ratesCloud) perSecond(took time.Duration) float64 {
	if took == 0 {
		return 0
	}
	return float64(r.bytes) / took.Seconds()
}

// measure does one copy and takes it away again: by Clinker, by qemu-img, by dd. 0
// where the last cannot. cpu is in seconds.
func (r *ratesCloud) measure(ctx context.Context, kind copyKind, which int) (took time.Duration, cpu float64, err error) {
	if err := r.cold(); err != nil {
		return 0, 0, err
	}
	if which != 0 {
		return r.program(ctx, kind, which)
	}
	begin, before := time.Now(), r.seconds()
	id, err := kind.do(ctx)
	took, cpu = time.Since(begin), r.seconds()-before
	if err == nil {
		err = kind.undo(ctx, id)
	}
	return took, cpu, err
}

// seconds is the processor time of all processes.
func (r *ratesCloud) seconds() (sum float64) {
	roots := map[string]int{"postgres": r.postgres.PID()}
	for _, p := range r.processes {
		roots[fmt.Sprint(p.name, p.pid())] = p.pid()
	}
	for _, s := range treeSeconds(roots) {
		sum += s
	}
	return sum
}

// children is that of programs that have ended.
func children() float64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_CHILDREN, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// program is measure for qemu-img and dd.
func (r *ratesCloud) program(ctx context.Context, kind copyKind, which int) (took time.Duration, cpu float64, err error) {
	target := filepath.Join(r.dir, "bare")
	defer os.Remove(target)
	begin, before := time.Now(), children()
	switch {
	case which == 1:
		err = execute(ctx, "sh", "-c", `qemu-img convert -f "$1" -O raw "$2" "$3" && sync "$3"`, "sh", kind.format, kind.source, target)
	case kind.format == "raw":
		err = execute(ctx, "dd", "if="+kind.source, "of="+target, "bs=4M", "conv=fsync", "status=none")
	default:
		return 0, 0, nil
	}
	return time.Since(begin), children() - before, err
}

func (r *Rates) print(out io.Writer) error {
	if r == nil {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\ncopies of %d MiB, MB/s\tClinker\tqemu-img convert\tdd\tratio\tCPU s\tqemu-img's\t\n", r.Bytes>>20)
	for _, c := range r.Copies {
		dd := "-"
		if c.DD > 0 {
			dd = fmt.Sprintf("%.0f", c.DD/1e6)
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%s\t%.2f\t%.1f\t%.1f\t\n", c.What, c.Clinker/1e6, c.QEMU/1e6, dd, c.Ratio, c.ClinkerCPU, c.QEMUCPU)
	}
	return w.Flush()
}

// slowest is the kind with the worst ratio.
func (r *Rates) slowest() Rate {
	return slices.MinFunc(r.Copies, func(a, b Rate) int { return cmp.Compare(a.Ratio, b.Ratio) })
}
