package placement

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFits(t *testing.T) {
	t.Parallel()
	thick := Pool{TotalBytes: 1000, FreeBytes: 1000, Thick: true}
	thin := Pool{TotalBytes: 1000, FreeBytes: 1000, Thin: true, MaxOverSubscriptionRatio: 2}
	with := func(p Pool, change func(*Pool)) Pool { change(&p); return p }
	for _, c := range []struct {
		name   string
		pool   Pool
		size   int64
		ok     bool
		reason string
	}{
		{"all of an empty thick pool", thick, 1000, true, ""},
		{"one more", thick, 1001, false, "left to promise"},
		{"manage", with(thick, func(p *Pool) { p.TotalBytes = 0 }), 0, true, ""},
		{"negative", thick, -1, false, "negative"},
		{"no capacity", Pool{}, 1, false, "no capacity"},
		{"reserved", with(thick, func(p *Pool) { p.ReservedPercentage = 10 }), 900, true, ""},
		{"into the reserve", with(thick, func(p *Pool) { p.ReservedPercentage = 10 }), 901, false, "10% reserved"},
		{"reserve rounds down", with(thick, func(p *Pool) { p.TotalBytes, p.FreeBytes, p.ReservedPercentage = 999, 999, 10 }), 900, true, ""},
		{"claims count before the node sees them", with(thick, func(p *Pool) { p.AllocatedBytes = 600 }), 401, false, "600 placed"},
		{"trash counts", with(thick, func(p *Pool) { p.OtherBytes = 600 }), 401, false, "600 other"},
		{"the node's word counts", with(thick, func(p *Pool) { p.FreeBytes = 100 }), 101, false, "physical room for 100"},
		{"thick reserve is off the free bytes", with(thick, func(p *Pool) { p.FreeBytes, p.ReservedPercentage = 500, 10 }), 401, false, "physical"},
		{"thin promises double", thin, 2000, true, ""},
		{"thin promises no more", thin, 2001, false, "left to promise"},
		{"thin promised already", with(thin, func(p *Pool) { p.AllocatedBytes, p.OtherBytes = 1500, 100 }), 401, false, "left to promise"},
		{"thin physical room, over-subscribed", with(thin, func(p *Pool) { p.FreeBytes = 100 }), 200, true, ""},
		{"thin physical room exceeded", with(thin, func(p *Pool) { p.FreeBytes = 100 }), 201, false, "physical room for 200"},
		{"thin reserve is off the free bytes only", with(thin, func(p *Pool) { p.ReservedPercentage = 10 }), 1800, true, ""},
		{"thin full", with(thin, func(p *Pool) { p.FreeBytes, p.ReservedPercentage = 50, 10 }), 1, false, "physical room for 0"},
		{"thin ratio below 1", with(thin, func(p *Pool) { p.MaxOverSubscriptionRatio = 0.9 }), 1, false, "at least 1"},
		{"thin ratio no number", with(thin, func(p *Pool) { p.MaxOverSubscriptionRatio = math.NaN() }), 1, false, "at least 1"},
		{"thin ratio without end", with(thin, func(p *Pool) { p.MaxOverSubscriptionRatio = math.Inf(1) }), math.MaxInt64, true, ""},
	} {
		refusal := fits(&c.pool, c.size, false)
		if (refusal == "") != c.ok || !strings.Contains(refusal, c.reason) {
			t.Errorf("%s: got %q, want %v %q", c.name, refusal, c.ok, c.reason)
		}
	}
}

func TestThickRequestOnThinPoolNeedsPhysicalSpace(t *testing.T) {
	t.Parallel()
	placer := newPlacer(t, Options{})
	pool := upPool("a@thin#p")
	pool.Thin, pool.MaxOverSubscriptionRatio = true, 20
	pool.TotalBytes, pool.FreeBytes, pool.AllocatedBytes = 1000, 300, 600
	for _, c := range []struct {
		request Request
		ok      bool
	}{
		{Request{SizeBytes: 500}, true},
		{Request{SizeBytes: 500, ProvisioningThick: true}, false},
		{Request{SizeBytes: 300, ProvisioningThick: true}, true},
		{Request{SizeBytes: 301, ProvisioningThick: true}, false},
		{Request{SizeBytes: 500, ExtraSpecs: map[string]string{"provisioning:type": "thick"}}, false},
	} {
		if got := len(placer.Place([]Pool{pool}, c.request).Ranked) == 1; got != c.ok {
			t.Errorf("%+v: got %v, want %v", c.request, got, c.ok)
		}
	}
	// What is promised and not written yet leaves no room, however free the pool is.
	pool.FreeBytes, pool.AllocatedBytes = 1000, 900
	if d := placer.Place([]Pool{pool}, Request{SizeBytes: 101, ProvisioningThick: true}); len(d.Ranked) != 0 {
		t.Error("a thick volume got bytes that are promised to others")
	}
}

// What was granted one after the other never adds up to more than the pool.
func TestFitsNeverPromisesTooMuch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pool := anyPool(t)
		for range 20 {
			size := rapid.Int64Range(1, 400).Draw(t, "size")
			if fits(&pool, size, false) == "" {
				pool.AllocatedBytes += size
			}
		}
		limit := float64(pool.TotalBytes - reservedBytes(&pool))
		if pool.Thin {
			limit = float64(pool.TotalBytes) * pool.MaxOverSubscriptionRatio
		}
		before := anyAllocated // what anyPool placed at most, over the limit or not
		if promised := pool.AllocatedBytes + pool.OtherBytes; float64(promised) > max(limit, float64(before)) {
			t.Fatalf("promised %d of %g", promised, limit)
		}
	})
}
