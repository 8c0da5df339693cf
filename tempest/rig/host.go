package rig

import (
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/attachments"

	"clinker/volumed/target"
	"clinker/volumed/target/targettest"
)

// Host is a machine that attaches volumes as Nova's would. Its initiator is
// qemu-io.
type Host struct {
	Initiator string // its iSCSI name

	client *gophercloud.ServiceClient
	qemu   *targettest.Qemu
}

// NewHost makes a host that asks for volumes as the client's user.
func NewHost(t *testing.T, c *gophercloud.ServiceClient) *Host {
	return &Host{client: c, qemu: targettest.NewQemu(t), Initiator: "iqn.1993-08.org.debian:01:" + uuid.NewString()[:8]}
}

// Attachment is a volume on a host.
type Attachment struct {
	ID    string
	Login targettest.Login // word by word from the connection info
}

// Attach connects a volume, mode rw or ro, and completes the attachment.
func (h *Host) Attach(t *testing.T, volume, mode string) Attachment {
	t.Helper()
	a, err := attachments.Create(t.Context(), h.client, attachments.CreateOpts{
		VolumeUUID: volume, InstanceUUID: uuid.NewString(), Mode: mode, Connector: h.Connector(),
	}).Extract()
	if err != nil {
		t.Fatalf("attach: %v", err)
	}
	if err := attachments.Complete(t.Context(), h.client, a.ID).ExtractErr(); err != nil {
		t.Fatalf("complete: %v", err)
	}
	return Attachment{a.ID, h.loginOf(t, a.ConnectionInfo)}
}

// Connector is what os-brick says of a host.
func (h *Host) Connector() map[string]any {
	return map[string]any{"initiator": h.Initiator, "host": "compute1", "ip": "127.0.0.1",
		"multipath": false, "os_type": "linux2", "platform": "x86_64", "do_local_attach": false}
}

func (h *Host) loginOf(t *testing.T, info map[string]any) targettest.Login {
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
		IQN:     text("target_iqn"), Name: h.Initiator,
		Username: text("auth_username"), Password: target.Secret(text("auth_password")),
	}
}

// Detach deletes the attachment.
func (h *Host) Detach(t *testing.T, a Attachment) {
	t.Helper()
	if err := attachments.Delete(t.Context(), h.client, a.ID).ExtractErr(); err != nil {
		t.Fatalf("detach: %v", err)
	}
}

// Try logs in; the caller ends the session.
func (h *Host) Try(t *testing.T, l targettest.Login) (targettest.Session, error) {
	return h.qemu.Login(t.Context(), l)
}

// Open logs in; the session ends with the test.
func (h *Host) Open(t *testing.T, l targettest.Login) targettest.Session {
	t.Helper()
	s, err := h.qemu.Login(t.Context(), l)
	if err != nil {
		t.Fatalf("login: %v", err)
	}
	t.Cleanup(s.Logout)
	return s
}

// Refused checks that the target says no.
func (h *Host) Refused(t *testing.T, why string, l targettest.Login) {
	t.Helper()
	s, err := h.qemu.Login(t.Context(), l)
	if err == nil {
		s.Logout()
	}
	if !errors.Is(err, targettest.ErrRefused) {
		t.Errorf("%s: login gave %v, want it refused", why, err)
	}
}
