package gopher

import (
	"testing"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/attachments"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"clinker/tempest/rig"
)

// attaching goes Nova's way: reserve, connect, complete, delete.
func attaching(t *testing.T, c clouds) {
	ctx := t.Context()
	v := rig.NewVolume(t, c.demo, volumes.CreateOpts{Size: 1, Name: "attached"})
	server := uuid.NewString()
	status := func(want string) *volumes.Volume {
		t.Helper()
		got := must(t, volumes.Get(ctx, c.demo, v.ID).Extract)
		if got.Status != want {
			t.Errorf("the volume is %s, want %s", got.Status, want)
		}
		return got
	}

	a := must(t, attachments.Create(ctx, c.demo, attachments.CreateOpts{VolumeUUID: v.ID, InstanceUUID: server}).Extract)
	if a.Status != "reserved" || a.VolumeID != v.ID || a.Instance != server {
		t.Errorf("reserved: %+v", a)
	}
	status("reserved")
	refused(t, attachments.Create(ctx, c.demo, attachments.CreateOpts{VolumeUUID: v.ID, InstanceUUID: uuid.NewString()}).Err,
		400, "status must be available or downloading to reserve")

	a = must(t, attachments.Update(ctx, c.demo, a.ID, attachments.UpdateOpts{Connector: map[string]any{
		"initiator": "iqn.1993-08.org.debian:01:gopher", "host": "compute1", "ip": "127.0.0.1", "mountpoint": "/dev/vdb",
	}}).Extract)
	if a.Status != "attaching" || a.ConnectionInfo["driver_volume_type"] != "iscsi" || a.ConnectionInfo["auth_password"] == "" {
		t.Errorf("connected: %+v", a)
	}
	status("attaching")
	check(t, attachments.Complete(ctx, c.demo, a.ID).ExtractErr())
	used := status("in-use")
	if len(used.Attachments) != 1 || used.Attachments[0].ServerID != server || used.Attachments[0].AttachmentID != a.ID || used.Attachments[0].Device != "/dev/vdb" {
		t.Errorf("the volume's attachments: %+v", used.Attachments)
	}
	if a = must(t, attachments.Get(ctx, c.demo, a.ID).Extract); a.Status != "attached" || a.AttachMode != "rw" || a.AttachedAt.IsZero() {
		t.Errorf("completed: %+v", a)
	}
	page := must(t, func() (pagination.Page, error) {
		return attachments.List(c.demo, attachments.ListOpts{VolumeID: v.ID}).AllPages(ctx)
	})
	if all := must(t, func() ([]attachments.Attachment, error) { return attachments.ExtractAttachments(page) }); len(all) != 1 || all[0].ID != a.ID {
		t.Errorf("listed: %+v", all)
	}
	refused(t, volumes.Delete(ctx, c.demo, v.ID, nil).ExtractErr(), 400, "must not be migrating, attached")

	check(t, attachments.Delete(ctx, c.demo, a.ID).ExtractErr())
	status("available")
	refused(t, attachments.Get(ctx, c.demo, a.ID).Err, 404, a.ID)
	rig.DeleteVolume(t, c.demo, v.ID)
}
