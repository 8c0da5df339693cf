package load

import (
	"math"
	"slices"
	"time"
)

// Samples are the times of one thing done many times; all of them.
type Samples []time.Duration

// quantile gives the smallest sample that at least the share q of all does not
// exceed (nearest rank), in milliseconds. The samples must be sorted.
func (s Samples) quantile(q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(s))))
	return milliseconds(s[max(rank, 1)-1])
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// Times are the quantiles of one series, in milliseconds.
type Times struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// Times sorts the samples and gives their quantiles.
func (s Samples) Times() Times {
	slices.Sort(s)
	return Times{P50: s.quantile(0.5), P99: s.quantile(0.99), Max: s.quantile(1)}
}

// steps are the times of the parts of a thing, by name, in the order in which
// they are first met.
type steps map[string]*step

type step struct {
	order int
	Samples
}

// add notes how long a step took that began at begin.
func (s steps) add(name string, begin time.Time) {
	if s[name] == nil {
		s[name] = &step{order: len(s)}
	}
	s[name].Samples = append(s[name].Samples, time.Since(begin))
}

// merge adds another worker's steps.
func (s steps) merge(other steps) {
	for name, o := range other {
		if s[name] == nil {
			s[name] = &step{order: o.order}
		}
		s[name].Samples = append(s[name].Samples, o.Samples...)
	}
}

// Step is a part of a phase's work.
type Step struct {
	Name string `json:"name"`
	Times
}

func (s steps) results() []Step {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return s[a].order - s[b].order })
	all := make([]Step, len(names))
	for i, name := range names {
		all[i] = Step{Name: name, Times: s[name].Times()}
	}
	return all
}
