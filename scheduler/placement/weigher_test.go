package placement

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func names(d Decision) []string {
	var all []string
	for _, c := range d.Ranked {
		all = append(all, c.Pool.Name)
	}
	return all
}

func TestWeighers(t *testing.T) {
	t.Parallel()
	a, b, c := upPool("a"), upPool("b"), upPool("c")
	a.IO, a.Volumes, a.AllocatedBytes = DiskIO{BusyShare: 0.9}, 1, 10<<30
	b.IO, b.Volumes, b.AllocatedBytes = DiskIO{BusyShare: 0.1}, 2, 30<<30
	c.IO, c.Volumes, c.AllocatedBytes = DiskIO{BusyShare: 0.5}, 3, 20<<30
	pools := []Pool{a, b, c}
	for _, w := range []struct {
		weighers    []string
		multipliers map[string]float64
		want        []string
	}{
		{nil, nil, []string{"b", "c", "a"}},
		{nil, map[string]float64{"DiskIOWeigher": -1}, []string{"a", "c", "b"}},
		{[]string{"CapacityWeigher"}, nil, []string{"a", "c", "b"}},
		{[]string{"CapacityWeigher"}, map[string]float64{"CapacityWeigher": -1}, []string{"b", "c", "a"}},
		{[]string{"VolumeNumberWeigher"}, nil, []string{"a", "b", "c"}},
		{[]string{"VolumeNumberWeigher"}, map[string]float64{"VolumeNumberWeigher": 1}, []string{"c", "b", "a"}},
		{[]string{"DiskIOWeigher", "VolumeNumberWeigher"}, map[string]float64{"VolumeNumberWeigher": -10}, []string{"a", "b", "c"}},
		{[]string{}, nil, []string{"a", "c", "b"}}, // no weigher: the share promised decides
	} {
		placer := newPlacer(t, Options{Weighers: w.weighers, Multipliers: w.multipliers})
		if got := names(placer.Place(pools, Request{SizeBytes: 1})); !slices.Equal(got, w.want) {
			t.Errorf("%v %v: got %v, want %v", w.weighers, w.multipliers, got, w.want)
		}
	}
}

// An operator finds each weigher's option, and what it does, in the sample.
func TestEveryWeigherHasAnOption(t *testing.T) {
	t.Parallel()
	for weigher, m := range Multipliers() {
		if !strings.HasSuffix(m.Name, "_multiplier") || m.Default == 0 || !strings.Contains(m.Help, weigher) {
			t.Errorf("%s: %+v", weigher, m)
		}
	}
}

func TestCapacityWeigherCountsVirtualSpaceOfThinPools(t *testing.T) {
	t.Parallel()
	thin, thick := upPool("thin"), upPool("thick")
	thin.Thin, thin.MaxOverSubscriptionRatio, thin.FreeBytes = true, 20, 10<<30
	placer := newPlacer(t, Options{Weighers: []string{"CapacityWeigher"}})
	if got := names(placer.Place([]Pool{thick, thin}, Request{SizeBytes: 1})); got[0] != "thin" {
		t.Errorf("got %v", got)
	}
	if got := names(placer.Place([]Pool{thick, thin}, Request{SizeBytes: 1, ProvisioningThick: true})); got[0] != "thick" {
		t.Errorf("thick: got %v", got)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	idle := Pool{}
	if got := load(&idle); got != 0 {
		t.Errorf("idle: %g", got)
	}
	for _, io := range []DiskIO{
		{BusyShare: 0.1}, {OperationsPerSecond: 50}, {BytesPerSecond: 5 << 20}, {MeanWaitMS: 1},
	} {
		some := Pool{IO: io}
		double := Pool{IO: DiskIO{2 * io.BusyShare, 2 * io.OperationsPerSecond, 2 * io.BytesPerSecond, 2 * io.MeanWaitMS}}
		if !(0 < load(&some) && load(&some) < load(&double) && load(&double) < 1) {
			t.Errorf("%+v: %g, doubled %g", io, load(&some), load(&double))
		}
	}
	nonsense := Pool{IO: DiskIO{math.NaN(), -1, math.Inf(1), math.Inf(-1)}}
	if got := load(&nonsense); math.Abs(got-bytesPart) > 1e-9 {
		t.Errorf("nonsense: %g", got)
	}
}

// A hundred creates between two polls go round the idle pools, not to the busy one.
func TestBurstIsSpread(t *testing.T) {
	t.Parallel()
	placer := newPlacer(t, Options{})
	pools := []Pool{upPool("a"), upPool("b"), upPool("c"), upPool("busy")}
	pools[1].IO.BusyShare = 0.01 // noise
	pools[3].IO = DiskIO{BusyShare: 0.95, MeanWaitMS: 40}
	for range 100 {
		best := placer.Place(pools, Request{SizeBytes: 1 << 30}).Ranked[0].Pool.Name
		i := slices.IndexFunc(pools, func(p Pool) bool { return p.Name == best })
		pools[i].ClaimedSincePoll++
		pools[i].AllocatedBytes += 1 << 30
		pools[i].Volumes++
	}
	for _, p := range pools[:3] {
		if p.Volumes < 32 || p.Volumes > 35 {
			t.Errorf("%s got %d", p.Name, p.Volumes)
		}
	}
	if pools[3].Volumes != 0 {
		t.Errorf("busy got %d", pools[3].Volumes)
	}
}
