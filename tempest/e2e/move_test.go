package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// moving is a cloud of two nodes and a volume that a machine has written to.
type moving struct {
	*testing.T
	cloud *rig.Cloud
	c     *gophercloud.ServiceClient
	v     *volumes.Volume
	h     *rig.Host
}

// newMoving writes so many MiB besides the pattern.
func newMoving(t *testing.T, o rig.Options, more int64) *moving {
	o.Nodes = 2
	m := &moving{T: t, cloud: rig.Start(t, o)}
	m.c = m.cloud.Client(t, rig.NewProject())
	m.v = rig.NewVolume(t, m.c, volumes.CreateOpts{Size: 1})
	m.h = rig.NewHost(t, m.c)
	a := m.h.Attach(t, m.v.ID, "rw")
	s := m.h.Open(t, a.Login)
	write(t, s, gib)
	for at := int64(0); at < more; at++ {
		if err := s.Write(t.Context(), (16+at)*mib, mib, byte(at+1)); err != nil {
			t.Fatal(err)
		}
	}
	s.Logout()
	m.h.Detach(t, a)
	rig.AwaitVolume(t, m.c, m.v.ID, "available")
	return m
}

// has attaches the volume again and reads what was written.
func (m *moving) has(more int64) {
	m.Helper()
	a := m.h.Attach(m.T, m.v.ID, "rw")
	s := m.h.Open(m.T, a.Login)
	verify(m.T, s, gib)
	for at := int64(0); at < more; at++ {
		if err := s.Verify(m.Context(), (16+at)*mib, mib, byte(at+1)); err != nil {
			m.Fatal(err)
		}
	}
	s.Logout()
	m.h.Detach(m.T, a)
}

func (m *moving) get() *volumes.Volume {
	m.Helper()
	v, err := volumes.Get(m.Context(), m.c, m.v.ID).Extract()
	if err != nil {
		m.Fatal(err)
	}
	return v
}

// where gives the number of the node that the volume is on.
func (m *moving) where() int {
	m.Helper()
	return slices.Index([]string{"node1@file#file", "node2@file#file"}, m.get().Host)
}

func (m *moving) migrate(to int) {
	m.Helper()
	body := map[string]any{"os-migrate_volume": map[string]any{"host": fmt.Sprintf("node%d@file#file", to+1), "lock_volume": true}}
	_, err := m.c.Post(m.Context(), m.c.ServiceURL("volumes", m.v.ID, "action"), body, nil, &gophercloud.RequestOpts{OkCodes: []int{http.StatusAccepted}})
	if err != nil {
		m.Fatal(err)
	}
}

// ended gives what became of the migration, an error while it is under way.
func (m *moving) ended() (status string, err error) {
	err = m.cloud.DB.QueryRow(m.Context(), "SELECT migration_status FROM volumes WHERE id = $1 AND status = 'available'", m.v.ID).Scan(&status)
	if err == nil && status != "success" && status != "error" {
		err = errors.New(status)
	}
	return status, err
}

// rests waits for the migration's end and tells whether the volume has moved.
func (m *moving) rests() (status string) {
	m.Helper()
	rig.Eventually(m.T, 90*time.Second, func() (err error) {
		status, err = m.ended()
		return err
	})
	return status
}

// copying migrates the volume and returns while its bytes are being copied, with
// the number of the node that it leaves. A copy that nobody saw, as on a
// machine that was busy with other things, is made once more.
func (m *moving) copying() (from int) {
	m.Helper()
	for range 3 {
		from = m.where()
		m.migrate(1 - from)
		half := filepath.Join(m.cloud.Nodes[1-from].Volumes, ".making-volume-"+m.v.ID)
		seen := false
		rig.Eventually(m.T, rig.Settle, func() error {
			_, missing := os.Stat(half)
			if seen = missing == nil; seen {
				return nil
			}
			_, err := m.ended()
			return err
		})
		if seen {
			return from
		}
		m.only()
	}
	m.Fatal("three migrations, and none was seen copying")
	return from
}

// only wants one file for the volume, on the node where it is.
func (m *moving) only() {
	m.Helper()
	rig.Eventually(m.T, 90*time.Second, func() error {
		for i, n := range m.cloud.Nodes {
			_, err := os.Stat(filepath.Join(n.Volumes, "volume-"+m.v.ID))
			if (err == nil) != (i == m.where()) {
				return fmt.Errorf("node %d: %v", i+1, err)
			}
		}
		return nil
	})
}

// TestVolumeMoves is there and back, between two storage nodes.
func TestVolumeMoves(t *testing.T) {
	t.Parallel()
	m := newMoving(t, rig.Options{}, 0)
	for range 2 {
		to := 1 - m.where()
		m.migrate(to)
		if got := m.rests(); got != "success" || m.where() != to {
			t.Errorf("%s, on node %d", got, m.where()+1)
		}
		m.has(0)
		m.only()
	}
	rig.DeleteVolume(t, m.c, m.v.ID)
}

// TestKilledWhileMoving kills each process in the middle of a copy. Each time it ends
// right: wholly moved or wholly stayed, with what was written, and one copy.
func TestKilledWhileMoving(t *testing.T) {
	t.Parallel()
	const more = 24 // MiB
	m := newMoving(t, rig.Options{NodeSettings: "volume_copy_bps_limit = 6291456"}, more)
	for _, role := range []string{"api", "scheduler", "source", "destination"} {
		from := m.copying()
		process := map[string]*rig.Role{"api": m.cloud.API, "scheduler": m.cloud.Scheduler,
			"source": m.cloud.Nodes[from].Role, "destination": m.cloud.Nodes[1-from].Role}[role]
		process.Kill()
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		status := m.rests()
		if moved := m.where() != from; moved != (status == "success") {
			t.Errorf("%s killed: %s, and moved is %v", role, status, moved)
		}
		t.Logf("%s killed: %s", role, status)
		m.only()
		m.has(more)
	}
}
