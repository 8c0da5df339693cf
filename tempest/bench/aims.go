package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"clinker/tempest/load"
)

// Cinder's figures, seen on one machine with 2 cores (docs/benchmarks.md).
const (
	cinderLists = 4.4 // of 1,000 volumes in detail, a second
	cinderShows = 137 // a second
)

// aim is a figure that is to be reached.
type aim struct {
	what     string
	least    float64 // 0 when there is a most
	most     float64
	unit     string
	measured func(r *report) (float64, bool)
}

// aims are the project's. Rates are those with most workers, when processors are
// what limits them; Cinder's were too.
var aims = []aim{
	{what: "lists of 1,000 in detail: 30 × Cinder's", least: 30 * cinderLists, unit: "/s", measured: func(r *report) (float64, bool) {
		rate, ok := busiest("list 1000")(r)
		return rate, ok && r.Volumes >= 1000
	}},
	{what: "shows: 80 × Cinder's", least: 80 * cinderShows, unit: "/s", measured: busiest("show")},
	{what: "create until available, one at a time, p50", most: 20, unit: "ms", measured: func(r *report) (float64, bool) {
		found, ok := r.result("create", slices.Min[[]int])
		return found.P50, ok
	}},
	{what: "creates, many at once", least: 400, unit: "/s", measured: busiest("create")},
	{what: "a volume's whole life, processor time", most: 15, unit: "ms", measured: lifeCPU},
	{what: "a page among 100,000 volumes, of the time among 2,000", most: 1.2, unit: "×", measured: func(r *report) (float64, bool) {
		if r.Paging == nil {
			return 0, false
		}
		return r.Paging.worst(), true
	}},
	{what: "memory of all roles, at most (PSS)", most: 100, unit: "MiB", measured: mostMemory},
	{what: "the slowest kind of copy, of qemu-img convert's or dd's rate", least: 0.9, unit: "×", measured: func(r *report) (float64, bool) {
		if r.Rates == nil || len(r.Rates.Copies) == 0 {
			return 0, false
		}
		return r.Rates.slowest().Ratio, true
	}},
	{what: "create until available on thick LVM, of a bare lvcreate's", most: 1.3, unit: "×", measured: func(r *report) (float64, bool) {
		if r.Thick == nil {
			return 0, false
		}
		return r.Thick.Ratio, true
	}},
}

func busiest(phase string) func(r *report) (float64, bool) {
	return func(r *report) (float64, bool) {
		found, ok := r.result(phase, slices.Max[[]int])
		return found.PerSecond, ok
	}
}

// lifeCPU is the worst of the measured ones: what all processes, PostgreSQL and
// tgtd included, have used for each volume.
func lifeCPU(r *report) (float64, bool) {
	worst := 0.0
	for _, u := range r.Usage {
		if u.Phase == "life" && u.Done > 0 {
			worst = max(worst, 1000*u.seconds()/float64(u.Done))
		}
	}
	return worst, worst > 0
}

// mostMemory counts the program's own pages once: the three roles are one program.
func mostMemory(r *report) (float64, bool) {
	most := 0.0
	for _, u := range r.Usage {
		most = max(most, u.roles().PSS)
	}
	return most, most > 0
}

// result finds the phase with the number of workers that pick chooses.
func (r *report) result(phase string, pick func([]int) int) (load.Result, bool) {
	var workers []int
	for _, found := range r.Results {
		if found.Phase == phase {
			workers = append(workers, found.Workers)
		}
	}
	if len(workers) == 0 {
		return load.Result{}, false
	}
	i := slices.IndexFunc(r.Results, func(found load.Result) bool {
		return found.Phase == phase && found.Workers == pick(workers)
	})
	return r.Results[i], true
}

// printAims writes each aim with what was measured.
func (r *report) printAims(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "AIM\t\tMEASURED\t")
	for _, a := range aims {
		value, known := a.measured(r)
		bound, reached := fmt.Sprintf("≥ %g %s", a.least, a.unit), value >= a.least
		if a.most > 0 {
			bound, reached = fmt.Sprintf("≤ %g %s", a.most, a.unit), value <= a.most
		}
		verdict := "reached"
		if !reached {
			verdict = "not reached"
		}
		if !known {
			fmt.Fprintf(w, "%s\t%s\tnot measured\t\n", a.what, bound)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%.4g %s\t%s\n", a.what, bound, value, a.unit, verdict)
	}
	return w.Flush()
}
