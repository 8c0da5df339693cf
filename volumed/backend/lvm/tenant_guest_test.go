package lvm

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/google/uuid"

	"clinker/testbed/guest"
	"clinker/volumed/backend"
)

// lvmConf is replaced until the test ends.
func lvmConf(t *testing.T, more string) {
	t.Helper()
	const path = "/etc/lvm/lvm.conf"
	was, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, append(was, more...), 0o644))
	t.Cleanup(func() { must(t, os.WriteFile(path, was, 0o644)) })
}

// TestTenantsVolumeGroup: what a tenant writes to a volume is no business of the node's
// LVM, be it a volume group of the pool's own name.
func TestTenantsVolumeGroup(t *testing.T) {
	guest.Require(t)
	b := opened(t, "")
	name := made(t, b, 8*unit)
	path, err := b.Device(t.Context(), name)
	must(t, err)
	tenantGroup(t, path)
	lvmConf(t, `
		devices { scan_lvs = 1 }
		report { prefixes = 1 binary_values_as_numeric = 1 }`)
	if said, err := exec.Command("lvs", guest.VolumeGroup).CombinedOutput(); err == nil {
		t.Fatalf("LVM by itself is not confused:\n%s", said)
	}
	b = opened(t, "")
	other := backend.VolumeName(uuid.NewString())
	must(t, b.Create(t.Context(), other, unit))
	if entries := b.entries(t); len(entries) != 2 {
		t.Errorf("List shows %v, want two volumes", entries)
	}
	must(t, b.Delete(t.Context(), other))
	must(t, b.Delete(t.Context(), name))
	trash, err := b.Trash(t.Context())
	must(t, err)
	for _, entry := range trash {
		must(t, b.Purge(t.Context(), entry.Name, func(context.Context, int) error { return nil }))
	}
	opened(t, thinPool(t, 32*mebi)) // it reads how the pool is set
}

// tenantGroup makes a volume group of the pool's name on a device, as its tenant can:
// where no other is to be seen.
func tenantGroup(t *testing.T, device string) {
	t.Helper()
	const dir = "/tmp/tenant"
	must(t, os.MkdirAll(dir, 0o755))
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	sh(t, "cp", "-aL", device, dir+"/disk")
	config := `devices { dir="` + dir + `" scan=["` + dir + `"] scan_lvs=1 global_filter=["a|.*|"] }`
	sh(t, "pvcreate", "--config", config, "-y", dir+"/disk")
	sh(t, "vgcreate", "--config", config, "-y", guest.VolumeGroup, dir+"/disk")
}
