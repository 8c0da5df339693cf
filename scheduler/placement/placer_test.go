package placement

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"clinker/internal/fault"
)

func TestNewNamesTheNearest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options Options
		says    string
	}{
		{Options{Filters: []string{"CapasityFilter"}}, "did you mean CapacityFilter?"},
		{Options{Filters: []string{"DriverFilter"}}, "there is no filter \"DriverFilter\""},
		{Options{Filters: []string{"InstanceLocalityFilter"}}, "there are AvailabilityZoneFilter, "},
		{Options{Weighers: []string{"DiskIoWeigher"}}, "did you mean DiskIOWeigher?"},
		{Options{Multipliers: map[string]float64{"VolumeNumberWeigh": 1}}, "did you mean VolumeNumberWeigher?"},
		{Options{Multipliers: map[string]float64{"DiskIOWeigher": math.NaN()}}, "finite"},
	} {
		_, err := New(c.options)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: got %v, want %q", c.options, err, c.says)
		}
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	placer := newPlacer(t, Options{})
	const gib = 1 << 30
	for _, c := range []struct {
		name    string
		change  func(*Pool)
		request Request
		refused string // filter, "" when the pool is ranked
		reason  string
	}{
		{"passes", func(*Pool) {}, Request{SizeBytes: gib}, "", ""},
		{"down", func(p *Pool) { p.Up = false }, Request{}, "ServiceFilter", "h@b is down"},
		{"disabled", func(p *Pool) { p.Disabled = true }, Request{}, "ServiceFilter", "disabled"},
		{"frozen", func(p *Pool) { p.Frozen = true }, Request{}, "ServiceFilter", "frozen"},
		{"tried", func(*Pool) {}, Request{Exclude: []string{"h@b#p"}}, "IgnoreAttemptedHostsFilter", "tried"},
		{"zone", func(*Pool) {}, Request{AvailabilityZones: []string{"a", "nova"}}, "", ""},
		{"other zone", func(*Pool) {}, Request{AvailabilityZones: []string{"a", "b"}}, "AvailabilityZoneFilter", `"nova", not in a, b`},
		{"too big", func(*Pool) {}, Request{SizeBytes: 1001 * gib}, "CapacityFilter", "left to promise"},
		{"capability", func(p *Pool) { p.Capabilities["x"] = "1" }, Request{ExtraSpecs: map[string]string{"x": "2"}}, "CapabilitiesFilter", `x is "1", and must be "2"`},
		{"same host", func(*Pool) {}, Request{SameHost: []string{"q", "h@b#p"}}, "", ""},
		{"same host elsewhere", func(*Pool) {}, Request{SameHost: []string{"q"}}, "SameBackendFilter", "q"},
		{"same host of a volume without pool", func(*Pool) {}, Request{SameHost: []string{""}}, "SameBackendFilter", ""},
		{"different host", func(*Pool) {}, Request{DifferentHost: []string{"h@b#p"}}, "DifferentBackendFilter", ""},
		{"different host elsewhere", func(*Pool) {}, Request{DifferentHost: []string{"h@b#q", ""}}, "", ""},
	} {
		pool := upPool("h@b#p")
		c.change(&pool)
		d := placer.Place([]Pool{pool}, c.request)
		if c.refused == "" {
			if len(d.Ranked) != 1 || len(d.Refused) != 0 {
				t.Errorf("%s: refused: %+v", c.name, d.Refused)
			}
			continue
		}
		if len(d.Refused) != 1 || d.Refused[0].Filter != c.refused || !strings.Contains(d.Refused[0].Reason, c.reason) {
			t.Errorf("%s: got %+v, want %s %q", c.name, d.Refused, c.refused, c.reason)
		}
	}
}

func TestConfiguredFiltersOnly(t *testing.T) {
	t.Parallel()
	placer := newPlacer(t, Options{Filters: []string{}})
	r := Request{SizeBytes: math.MaxInt64, AvailabilityZones: []string{"elsewhere"}}
	down := upPool("down")
	down.Up = false
	d := placer.Place([]Pool{upPool("a"), down}, r)
	if len(d.Ranked) != 1 || d.Counts()[0] != (Count{"ServiceFilter", 1}) {
		t.Errorf("got %+v", d)
	}
}

func TestUserMessage(t *testing.T) {
	t.Parallel()
	placer := newPlacer(t, Options{})
	pools := []Pool{upPool("a"), upPool("b"), upPool("c"), upPool("d")}
	for i := range 3 {
		pools[i].FreeBytes = 0
	}
	pools[3].AvailabilityZone = "other"
	r := Request{SizeBytes: 1, AvailabilityZones: []string{"nova"}}
	d := placer.Place(pools, r)
	want := "No pool can hold the volume: CapacityFilter refused 3 of 4 pools, AvailabilityZoneFilter refused 1."
	if got := d.UserMessage(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want = "No pool can hold the volume: CapacityFilter refused 1 of 1 pool."
	if got := placer.Place(pools[:1], r).UserMessage(); got != want {
		t.Errorf("got %s", got)
	}
	if got := placer.Place(nil, r).UserMessage(); !strings.Contains(got, "no storage node has reported") {
		t.Errorf("no pools: got %s", got)
	}
	if got := placer.Place([]Pool{upPool("a")}, r).UserMessage(); got != "" {
		t.Errorf("served: got %s", got)
	}
	lines := d.LogLines()
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "pool a: refused by CapacityFilter: 1 bytes are wanted") {
		t.Errorf("got %q", lines)
	}
}

func BenchmarkPlace500(b *testing.B) {
	placer := newPlacer(b, Options{Weighers: []string{"DiskIOWeigher", "CapacityWeigher"}})
	pools := make([]Pool, 500)
	for i := range pools {
		pools[i] = upPool(fmt.Sprintf("h%d@b#p", i))
		pools[i].IO.BusyShare = float64((i*7919)%500) / 500
		pools[i].Capabilities["multiattach"] = "True"
	}
	r := Request{SizeBytes: 1 << 30, AvailabilityZones: []string{"nova"},
		ExtraSpecs: map[string]string{"multiattach": "<is> True", "total_capacity_gb": ">= 100"}}
	b.ReportAllocs()
	for b.Loop() {
		placer.Place(pools, r)
	}
}
