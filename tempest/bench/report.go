package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"clinker/tempest/load"
)

// report is all that was measured.
type report struct {
	Machine  string        `json:"machine"`
	Volumes  int           `json:"volumes"` // that the lists list
	APIStart float64       `json:"api_start_seconds"`
	Results  []load.Result `json:"results"`
	Usage    []Usage       `json:"usage"`
	Peer     []load.Result `json:"peer,omitempty"`
	Paging   *Paging       `json:"paging,omitempty"`
	Rates    *Rates        `json:"rates,omitempty"`
	Thick    *Thick        `json:"thick,omitempty"`
}

func (r *report) print(out io.Writer) error {
	fmt.Fprintf(out, "%s\n", r.Machine)
	if len(r.Results) > 0 {
		fmt.Fprintf(out, "API from its start to its first answer: %.0f ms\n\n", 1000*r.APIStart)
		if err := load.Table(out, r.Results); err != nil {
			return err
		}
		if err := r.printUsage(out); err != nil {
			return err
		}
	}
	if len(r.Peer) > 0 {
		if err := r.printPeer(out); err != nil {
			return err
		}
	}
	if err := r.Paging.print(out); err != nil {
		return err
	}
	if err := r.Rates.print(out); err != nil {
		return err
	}
	r.Thick.print(out)
	fmt.Fprintln(out)
	return r.printAims(out)
}

// names are the measured processes, in the order of a request's way.
var names = []string{"api", "scheduler", "volumed", "tgtd", "postgres"}

// printUsage writes what each phase cost: processor milliseconds a piece, and
// the memory at its end.
func (r *report) printUsage(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\nprocessor ms a piece\tworkers\t%s\tall\tcommits\tsyncs\tWAL kB\t\n", strings.Join(names, "\t"))
	for _, u := range r.Usage {
		if u.Done == 0 {
			continue
		}
		each := 1 / float64(u.Done)
		fmt.Fprintf(w, "%s\t%d\t", u.Phase, u.Workers)
		for _, name := range names {
			fmt.Fprintf(w, "%.2f\t", 1000*u.CPU[name]*each)
		}
		fmt.Fprintf(w, "%.2f\t%.1f\t%.2f\t%.1f\t\n", 1000*u.seconds()*each, u.Commits*each, u.Syncs*each, u.WAL*each/1000)
	}
	fmt.Fprintf(w, "\nresident MiB (RSS; PSS in brackets)\t\t%s\troles\t\n", strings.Join(names, "\t"))
	for _, u := range r.Usage {
		fmt.Fprintf(w, "%s\t%d\t", u.Phase, u.Workers)
		for _, name := range names {
			fmt.Fprintf(w, "%s\t", u.Memory[name])
		}
		fmt.Fprintf(w, "%s\t\n", u.roles())
	}
	return w.Flush()
}

func (m Memory) String() string { return fmt.Sprintf("%.0f (%.0f)", m.RSS, m.PSS) }

// printPeer writes both endpoints' figures and how they relate.
func (r *report) printPeer(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nbeside the peer\tworkers\tper second\tpeer's\t×\tp50 ms\tpeer's\t")
	for _, p := range r.Peer {
		for _, o := range r.Results {
			if o.Phase == p.Phase && o.Workers == p.Workers && p.PerSecond > 0 {
				fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t\n", o.Phase, o.Workers,
					o.PerSecond, p.PerSecond, o.PerSecond/p.PerSecond, o.P50, p.P50)
			}
		}
	}
	return w.Flush()
}

// save writes the numbers for programs.
func (r *report) save(path string) error {
	if path == "" {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// describeMachine says what the figures are of.
func describeMachine() string {
	model := "unknown processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%d × %s, %s", runtime.NumCPU(), model, runtime.Version())
}
