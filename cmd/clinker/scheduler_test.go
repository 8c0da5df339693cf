package main

import (
	"reflect"
	"testing"

	"clinker/internal/conf"
	"clinker/scheduler/placement"
)

// TestPlacementDefaults: an empty configuration means what placement does by
// itself, and the pool with the least disk I/O wins.
func TestPlacementDefaults(t *testing.T) {
	t.Parallel()
	cfg := conf.Default()
	if got := cfg.Scheduler; !reflect.DeepEqual(got.DefaultFilters, placement.DefaultFilters) || !reflect.DeepEqual(got.DefaultWeighers, placement.DefaultWeighers) {
		t.Errorf("internal/conf has %v and %v", got.DefaultFilters, got.DefaultWeighers)
	}
	pools := []placement.Pool{
		{Name: "busy", Up: true, TotalBytes: 9, FreeBytes: 9, Volumes: 3, IO: placement.DiskIO{BusyShare: 1}},
		{Name: "idle", Up: true, TotalBytes: 9, FreeBytes: 3, Volumes: 1},
	}
	placer, err := newPlacer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if ranked := placer.Place(pools, placement.Request{}).Ranked; len(ranked) != 2 || ranked[0].Pool.Name != "idle" {
		t.Errorf("not the pool with the least disk I/O first: %+v", ranked)
	}
	turned, _, err := conf.Parse([]byte("[DEFAULT]\ndisk_io_weight_multiplier = -1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if placer, err = newPlacer(turned); err != nil {
		t.Fatal(err)
	}
	if ranked := placer.Place(pools, placement.Request{}).Ranked; len(ranked) != 2 || ranked[0].Pool.Name != "busy" {
		t.Errorf("not the busiest first, as configured: %+v", ranked)
	}
	cfg.Scheduler.DefaultWeighers = []string{"CapacityWeigher", "DiskIOWeigher", "VolumeNumberWeigher"}
	if placer, err = newPlacer(cfg); err != nil {
		t.Fatal(err)
	}
	plain, err := placement.New(placement.Options{Weighers: cfg.Scheduler.DefaultWeighers})
	if err != nil {
		t.Fatal(err)
	}
	one, other := placer.Place(pools, placement.Request{}), plain.Place(pools, placement.Request{})
	if len(one.Ranked) != 2 || !reflect.DeepEqual(one, other) {
		t.Errorf("with the configured multipliers %+v, with placement's %+v", one.Ranked, other.Ranked)
	}
}
