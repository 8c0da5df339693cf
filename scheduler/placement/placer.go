package placement

import (
	"maps"
	"math"
	"slices"
	"strings"

	"clinker/internal/fault"
	"clinker/internal/nearest"
)

// Options says what takes part in a choice, by configuration names.
type Options struct {
	Filters     []string           // nil: DefaultFilters
	Weighers    []string           // nil: DefaultWeighers
	Multipliers map[string]float64 // by weigher; what is not named has its default
}

// Placer makes choices. It holds no state: any number of goroutines may use it.
type Placer struct {
	filters  []namedFilter
	weighers []namedWeigher
}

type namedFilter struct {
	name string
	filter
}

type namedWeigher struct {
	name string
	weigher
	multiplier float64
}

// New makes a Placer. Invalid when a name is unknown, with what was meant or all that
// there are, or when a multiplier is not a finite number.
func New(o Options) (*Placer, error) {
	if o.Filters == nil {
		o.Filters = DefaultFilters
	}
	if o.Weighers == nil {
		o.Weighers = DefaultWeighers
	}
	placer := &Placer{}
	for _, name := range append(slices.Clone(always), o.Filters...) {
		if err := placer.addFilter(strings.TrimSpace(name)); err != nil {
			return nil, err
		}
	}
	for _, name := range o.Weighers {
		if err := placer.addWeigher(strings.TrimSpace(name)); err != nil {
			return nil, err
		}
	}
	return placer, placer.setMultipliers(o.Multipliers)
}

// addFilter appends a filter; naming one twice changes nothing.
func (p *Placer) addFilter(name string) error {
	f, known := filters[name]
	if !known {
		return fault.New(fault.Invalid, "scheduler_default_filters: there is no filter %q; %s", name, instead(filters, name))
	}
	if !slices.ContainsFunc(p.filters, func(n namedFilter) bool { return n.name == name }) {
		p.filters = append(p.filters, namedFilter{name, f})
	}
	return nil
}

// addWeigher appends a weigher; naming one twice changes nothing.
func (p *Placer) addWeigher(name string) error {
	w, known := weighers[name]
	if !known {
		return fault.New(fault.Invalid, "scheduler_default_weighers: there is no weigher %q; %s", name, instead(weighers, name))
	}
	if !slices.ContainsFunc(p.weighers, func(n namedWeigher) bool { return n.name == name }) {
		p.weighers = append(p.weighers, namedWeigher{name, w, w.option.Default})
	}
	return nil
}

// instead says what to write in the place of a name that is in no table.
func instead[V any](table map[string]V, name string) string {
	known := slices.Sorted(maps.Keys(table))
	if meant := nearest.To(name, known); meant != "" {
		return "did you mean " + meant + "?"
	}
	return "there are " + strings.Join(known, ", ")
}

// setMultipliers replaces defaults. A weigher that is known but not in use may
// be named: operators keep such settings.
func (p *Placer) setMultipliers(multipliers map[string]float64) error {
	for _, name := range slices.Sorted(maps.Keys(multipliers)) {
		value := multipliers[name]
		if _, known := weighers[name]; !known {
			return fault.New(fault.Invalid, "there is no weigher %q to multiply; %s", name, instead(weighers, name))
		}
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return fault.New(fault.Invalid, "the multiplier of %s must be a finite number", name)
		}
		for i := range p.weighers {
			if p.weighers[i].name == name {
				p.weighers[i].multiplier = value
			}
		}
	}
	return nil
}

// Place sorts the pools into those that can serve the request, best first, and
// those that cannot. It changes neither argument.
func (p *Placer) Place(pools []Pool, r Request) Decision {
	decision := Decision{Pools: len(pools)}
	checks := make([]check, len(p.filters))
	for i, f := range p.filters {
		checks[i] = f.filter(&r)
	}
	eligible := make([]*Pool, 0, len(pools))
	for i := range pools {
		if refusal, refused := p.refuse(checks, &pools[i]); refused {
			decision.Refused = append(decision.Refused, refusal)
		} else {
			eligible = append(eligible, &pools[i])
		}
	}
	decision.Ranked = p.rank(eligible, &r)
	return decision
}

// refuse finds the first filter that objects.
func (p *Placer) refuse(checks []check, pool *Pool) (Refusal, bool) {
	for i, passes := range checks {
		if reason := passes(pool); reason != "" {
			return Refusal{Pool: pool.Name, Filter: p.filters[i].name, Reason: reason}, true
		}
	}
	return Refusal{}, false
}
