package placement

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// whatever draws a placer with any of the registered filters and weighers.
func whatever(t *rapid.T) *Placer {
	pick := func(from []string, label string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, len(from), rapid.ID[string]).Draw(t, label)
	}
	o := Options{
		Filters:     pick(slices.Sorted(maps.Keys(filters)), "filters"),
		Weighers:    pick(slices.Sorted(maps.Keys(weighers)), "weighers"),
		Multipliers: map[string]float64{},
	}
	for _, name := range o.Weighers {
		o.Multipliers[name] = rapid.Float64Range(-2, 2).Draw(t, name)
	}
	placer, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return placer
}

func TestEveryRankedPoolPassesEveryFilter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		placer, pools, r := whatever(t), anyPools(t), anyRequest(t)
		for _, c := range placer.Place(pools, r).Ranked {
			for _, f := range placer.filters {
				if reason := f.filter(&r)(&c.Pool); reason != "" {
					t.Fatalf("%s: %s: %s", c.Pool.Name, f.name, reason)
				}
			}
		}
	})
}

func TestEveryPoolIsRankedOrRefusedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		placer, pools, r := whatever(t), anyPools(t), anyRequest(t)
		d := placer.Place(pools, r)
		seen := map[string]int{}
		for _, c := range d.Ranked {
			seen[c.Pool.Name]++
		}
		for _, f := range d.Refused {
			seen[f.Pool]++
		}
		for _, p := range pools {
			if seen[p.Name] != 1 {
				t.Fatalf("%s: %d times", p.Name, seen[p.Name])
			}
		}
		counted := 0
		for _, c := range d.Counts() {
			counted += c.Pools
		}
		if counted+len(d.Ranked) != len(pools) {
			t.Fatalf("%d refused, %d ranked, %d pools", counted, len(d.Ranked), len(pools))
		}
		if (d.UserMessage() == "") != (len(d.Ranked) > 0) {
			t.Fatalf("message %q with %d ranked", d.UserMessage(), len(d.Ranked))
		}
	})
}

func TestLeastDiskIOWins(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		placer, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := placer.Place(anyPools(t), anyRequest(t))
		least := math.Inf(1)
		for i := range d.Ranked {
			least = min(least, load(&d.Ranked[i].Pool))
		}
		if len(d.Ranked) > 0 && load(&d.Ranked[0].Pool) > least+loadNoise {
			t.Fatalf("chosen %g, least %g", load(&d.Ranked[0].Pool), least)
		}
		for i := 1; i < len(d.Ranked); i++ {
			if load(&d.Ranked[i].Pool) < load(&d.Ranked[i-1].Pool)-loadNoise {
				t.Fatalf("rank %d is less loaded than rank %d", i, i-1)
			}
		}
	})
}

func TestIneligiblePoolsChangeNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		placer, pools, r := whatever(t), anyPools(t), anyRequest(t)
		before := placer.Place(pools, r)
		extra := anyPool(t)
		extra.Name, extra.Up = "extra@b#p", false
		if after := placer.Place(append(slices.Clone(pools), extra), r); !reflect.DeepEqual(before.Ranked, after.Ranked) {
			t.Fatalf("before %+v\nafter %+v", before.Ranked, after.Ranked)
		}
	})
}

func TestOrderOfInputDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		placer, pools, r := whatever(t), anyPools(t), anyRequest(t)
		one, other := placer.Place(pools, r), placer.Place(rapid.Permutation(pools).Draw(t, "order"), r)
		if !reflect.DeepEqual(one.Ranked, other.Ranked) || one.UserMessage() != other.UserMessage() {
			t.Fatalf("one %+v\nother %+v", one, other)
		}
	})
}
