package e2e

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/attachments"

	"clinker/tempest/rig"
	"clinker/volumed/target"
	"clinker/volumed/target/targettest"
)

func TestMain(m *testing.M) { rig.Main(m) }

// host is a machine that attaches volumes.
type host struct {
	client *gophercloud.ServiceClient
	qemu   *targettest.Qemu
	name   string // its initiator name
}

func newHost(t *testing.T, c *gophercloud.ServiceClient) *host {
	return &host{client: c, qemu: targettest.NewQemu(t), name: "iqn.1993-08.org.debian:01:" + uuid.NewString()[:8]}
}

// attachment is a volume on a host.
type attachment struct {
	id    string
	login targettest.Login
}

// attach asks for the volume and takes the connection info word by word.
func (h *host) attach(t *testing.T, volume string) attachment {
	t.Helper()
	return h.attachMode(t, volume, "rw")
}

func (h *host) attachMode(t *testing.T, volume, mode string) attachment {
	t.Helper()
	a, err := attachments.Create(t.Context(), h.client, attachments.CreateOpts{
		VolumeUUID: volume, InstanceUUID: uuid.NewString(), Mode: mode,
		Connector: map[string]any{"initiator": h.name, "host": "compute1", "ip": "127.0.0.1",
			"multipath": false, "os_type": "linux2", "platform": "x86_64", "do_local_attach": false},
	}).Extract()
	if err != nil {
		t.Fatalf("attach: %v", err)
	}
	if err := attachments.Complete(t.Context(), h.client, a.ID).ExtractErr(); err != nil {
		t.Fatalf("complete: %v", err)
	}
	return attachment{a.ID, h.loginOf(t, a.ConnectionInfo)}
}

func (h *host) loginOf(t *testing.T, info map[string]any) targettest.Login {
	t.Helper()
	text := func(name string) string {
		s, ok := info[name].(string)
		if !ok || s == "" {
			t.Fatalf("connection_info has no %s: %v", name, info)
		}
		return s
	}
	lun, ok := info["target_lun"].(float64)
	if !ok || text("driver_volume_type") != "iscsi" || text("auth_method") != "CHAP" {
		t.Fatalf("connection_info is not for iSCSI with CHAP: %v", info)
	}
	return targettest.Login{
		Address: target.Address{Portals: []string{text("target_portal")}, LUN: int(lun)},
		IQN:     text("target_iqn"), Name: h.name,
		Username: text("auth_username"), Password: target.Secret(text("auth_password")),
	}
}

func (h *host) detach(t *testing.T, a attachment) {
	t.Helper()
	if err := attachments.Delete(t.Context(), h.client, a.id).ExtractErr(); err != nil {
		t.Fatalf("detach: %v", err)
	}
}

// open logs in; the session ends with the test.
func (h *host) open(t *testing.T, l targettest.Login) targettest.Session {
	t.Helper()
	s, err := h.qemu.Login(t.Context(), l)
	if err != nil {
		t.Fatalf("login: %v", err)
	}
	t.Cleanup(s.Logout)
	return s
}

// refused checks that the target says no.
func (h *host) refused(t *testing.T, why string, l targettest.Login) {
	t.Helper()
	s, err := h.qemu.Login(t.Context(), l)
	if err == nil {
		s.Logout()
	}
	if !errors.Is(err, targettest.ErrRefused) {
		t.Errorf("%s: login gave %v, want it refused", why, err)
	}
}

// dead checks that a session can write no more.
func dead(t *testing.T, s targettest.Session) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := s.Write(ctx, 0, 4096, 0xee); err == nil {
		t.Error("a session goes on after its attachment was deleted")
	}
}
