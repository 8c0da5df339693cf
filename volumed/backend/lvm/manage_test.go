package lvm

import (
	"testing"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

func TestUnfit(t *testing.T) {
	t.Parallel()
	g := &group{name: "vg"}
	thickly, thinly := &Backend{group: g, pool: &thick{g}}, &Backend{group: g, pool: &thin{group: g, name: "pool"}}
	for _, c := range []struct {
		name string
		b    *Backend
		v    logicalVolume
		fit  bool
	}{
		{"linear", thickly, logicalVolume{Name: "data", Layout: "linear"}, true},
		{"raid", thickly, logicalVolume{Name: "data", Layout: "raid,raid1"}, true},
		{"one of ours", thickly, logicalVolume{Name: "volume-a", Layout: "linear"}, true},
		{"thin pool", thickly, logicalVolume{Name: "pool", Layout: "thin,pool"}, false},
		{"cache pool", thickly, logicalVolume{Name: "fast", Layout: "cache,pool"}, false},
		{"cached", thickly, logicalVolume{Name: "data", Layout: "cache"}, false},
		{"thin in a thick backend", thickly, logicalVolume{Name: "data", Layout: "thin,sparse", Pool: "pool"}, false},
		{"half a snapshot of ours", thickly, logicalVolume{Name: "_snapshot-a", Layout: "linear"}, false},
		{"thin", thinly, logicalVolume{Name: "data", Layout: "thin,sparse", Pool: "pool"}, true},
		{"of another pool", thinly, logicalVolume{Name: "data", Layout: "thin,sparse", Pool: "other"}, false},
		{"thick in a thin backend", thinly, logicalVolume{Name: "data", Layout: "linear"}, false},
	} {
		if err := c.b.unfit(c.v); (err == nil) != c.fit || err != nil && backend.Reason(err) == "" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRightKind(t *testing.T) {
	t.Parallel()
	volume := backend.Adoption{Name: "volume-a"}
	snapshot := backend.Adoption{Name: "_snapshot-a", Origin: "volume-b"}
	for _, c := range []struct {
		name  string
		v     logicalVolume
		a     backend.Adoption
		right bool
	}{
		{"a volume", logicalVolume{Name: "x"}, volume, true},
		{"a volume as a snapshot", logicalVolume{Name: "x"}, snapshot, false},
		{"a thick snapshot", logicalVolume{Name: "x", Origin: "volume-b"}, snapshot, true},
		{"one of another volume", logicalVolume{Name: "x", Origin: "volume-c"}, snapshot, false},
		{"a thick snapshot as a volume", logicalVolume{Name: "x", Origin: "volume-b"}, volume, false},
		{"a thin copy as a volume", logicalVolume{Name: "x", Origin: "volume-b", Pool: "pool"}, volume, true},
	} {
		if err := rightKind(c.v, c.a); (err == nil) != c.right || err != nil && !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
