package main

import (
	"os"
	"path/filepath"
	"testing"

	"clinker/internal/conf"
	"clinker/internal/fault"
)

// TestOnePoolIsMissing: what cannot be opened now does not keep the other pools from
// being served, and can be opened later. Where there is nothing to serve, it is an error.
func TestOnePoolIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	if err := os.WriteFile(disk, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	section := func(name, directory string) conf.Backend {
		return conf.Backend{Name: name, VolumeBackendName: name, VolumeDriver: "file", FileDirectory: directory,
			TargetHelper: "tgt", TgtSocket: filepath.Join(dir, "none")}
	}
	missing, there := section("slow", filepath.Join(disk, "volumes")), section("fast", filepath.Join(dir, "volumes"))
	pools, err := openPools(t.Context(), &conf.Config{Backends: []conf.Backend{missing, there}}, systemTargets{})
	if err != nil || len(pools) != 2 {
		t.Fatal(pools, err)
	}
	if !fault.Is(pools[0].Trouble, fault.Unavailable) || pools[1].Trouble != nil || pools[1].Storage == nil {
		t.Errorf("trouble: %v, %v", pools[0].Trouble, pools[1].Trouble)
	}
	if _, err := openPools(t.Context(), &conf.Config{Backends: []conf.Backend{missing}}, systemTargets{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("no pool at all: %v", err)
	}
	if err := os.Remove(disk); err != nil {
		t.Fatal(err)
	}
	if storage, err := pools[0].Open(t.Context()); err != nil || storage == nil {
		t.Errorf("opened later: %v", err)
	}
}
