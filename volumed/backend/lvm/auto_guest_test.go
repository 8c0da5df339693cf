package lvm

import (
	"context"
	"testing"

	"clinker/testbed/guest"
)

// openedAuto opens as lvm_type = auto has it, and checks which kind of pool that gives.
func openedAuto(t *testing.T, when string, thin bool) *Backend {
	t.Helper()
	b, err := Open(t.Context(), Options{VolumeGroup: guest.VolumeGroup, ThinPool: "pool", Auto: true})
	must(t, err)
	if c, err := b.Capacity(t.Context()); err != nil || c.Thin != thin {
		t.Fatalf("%s: thin is %v, %v", when, c.Thin, err)
	}
	return b
}

// keeps checks that of all volumes it has that one alone, and can serve it.
func (b *Backend) keeps(t *testing.T, name string) {
	t.Helper()
	if entries := b.entries(t); len(entries) != 1 || entries[0].Name != name {
		t.Fatalf("it has %v and not %s", entries, name)
	}
	path, err := b.Device(t.Context(), name)
	if err != nil || !isBlockDevice(path) {
		t.Fatal(path, err)
	}
}

// TestAutoStory: lvm_type = auto over the life of a volume group. Whatever is put beside
// what it has, it goes on with that.
func TestAutoStory(t *testing.T) {
	guest.Require(t)
	thick := openedAuto(t, "without a thin pool", false)
	old := made(t, thick, unit)
	thinPool(t, 64*mebi)
	thick = openedAuto(t, "with a thick volume beside a thin pool", false)
	thick.keeps(t, old)
	must(t, thick.Delete(t.Context(), old))
	thick = openedAuto(t, "with what is left of a thick volume", false)
	purgeAll(t, thick)

	thin := openedAuto(t, "with a thin pool", true)
	volume := made(t, thin, unit)
	openedAuto(t, "with a thin volume", true).keeps(t, volume)
	must(t, thin.Delete(t.Context(), volume))
	openedAuto(t, "with an empty thin pool", true)

	thinly := made(t, thin, unit)
	sh(t, "vgchange", "-an", guest.VolumeGroup)
	openedAuto(t, "after a boot", true).keeps(t, thinly)
	strange := made(t, opened(t, ""), unit)
	openedAuto(t, "with a thin volume and a thick one", false).keeps(t, strange)
}

func purgeAll(t *testing.T, b *Backend) {
	t.Helper()
	trash, err := b.Trash(t.Context())
	must(t, err)
	if len(trash) == 0 {
		t.Fatal("there is nothing to be wiped")
	}
	for _, entry := range trash {
		must(t, b.Purge(t.Context(), entry.Name, func(context.Context, int) error { return nil }))
	}
}
