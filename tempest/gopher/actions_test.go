package gopher

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/attachments"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumetypes"

	"clinker/tempest/rig"
)

// oldAttaching goes the way of before the attachments: reserve, initialize,
// attach, and back.
func oldAttaching(t *testing.T, c clouds) {
	ctx := t.Context()
	v := rig.NewVolume(t, c.demo, volumes.CreateOpts{Size: 1, Name: "old"})
	status := func(want string) {
		t.Helper()
		if got := must(t, volumes.Get(ctx, c.demo, v.ID).Extract); got.Status != want {
			t.Errorf("the volume is %s, want %s", got.Status, want)
		}
	}
	host := volumes.InitializeConnectionOpts{Host: "compute1", Initiator: "iqn.1993-08.org.debian:01:old", IP: "127.0.0.1"}
	other := volumes.InitializeConnectionOpts{Host: "compute2", Initiator: "iqn.1993-08.org.debian:01:other"}

	check(t, volumes.Reserve(ctx, c.demo, v.ID).ExtractErr())
	status("attaching")
	refused(t, volumes.Reserve(ctx, c.demo, v.ID).ExtractErr(), 400, "Volume status must be available to reserve")
	check(t, volumes.Unreserve(ctx, c.demo, v.ID).ExtractErr())
	status("available")
	check(t, volumes.Reserve(ctx, c.demo, v.ID).ExtractErr())
	info := must(t, volumes.InitializeConnection(ctx, c.demo, v.ID, host).Extract)
	data, _ := info["data"].(map[string]any)
	if info["driver_volume_type"] != "iscsi" || data["volume_id"] != v.ID || data["auth_password"] == "" || data["target_portal"] == "" {
		t.Errorf("how to connect: %v", info)
	}
	refused(t, volumes.InitializeConnection(ctx, c.demo, v.ID, other).Err, 400, "multiple attachments are not enabled")
	check(t, volumes.Attach(ctx, c.demo, v.ID, volumes.AttachOpts{MountPoint: "/mnt", HostName: "compute1", Mode: volumes.ReadOnly}).ExtractErr())
	status("in-use")
	check(t, volumes.BeginDetaching(ctx, c.demo, v.ID).ExtractErr())
	status("detaching")
	check(t, volumes.TerminateConnection(ctx, c.demo, v.ID, volumes.TerminateConnectionOpts(host)).ExtractErr())
	check(t, volumes.Detach(ctx, c.demo, v.ID, volumes.DetachOpts{}).ExtractErr())
	status("available")

	check(t, volumes.SetBootable(ctx, c.demo, v.ID, volumes.BootableOpts{Bootable: true}).ExtractErr())
	check(t, volumes.SetImageMetadata(ctx, c.demo, v.ID, volumes.ImageMetadataOpts{Metadata: map[string]string{"os": "debian"}}).Err)
	if got := must(t, volumes.Get(ctx, c.demo, v.ID).Extract); got.Bootable != "true" || got.VolumeImageMetadata["os"] != "debian" {
		t.Errorf("%+v", got)
	}
	check(t, volumes.ForceDelete(ctx, c.admin, v.ID).ExtractErr())
	rig.Eventually(t, rig.Settle, func() error {
		if err := volumes.Get(ctx, c.demo, v.ID).Err; !gophercloud.ResponseCodeIs(err, 404) {
			return fmt.Errorf("not gone: %v", err)
		}
		return nil
	})
}

// sharing attaches a volume to several hosts at once.
func sharing(t *testing.T, c clouds) {
	ctx := t.Context()
	kind := must(t, volumetypes.Create(ctx, c.admin, volumetypes.CreateOpts{
		Name: "shared", ExtraSpecs: map[string]string{"multiattach": "<is> True"},
	}).Extract)
	v := rig.NewVolume(t, c.demo, volumes.CreateOpts{Size: 1, Name: "shared", VolumeType: "shared"})
	if !must(t, volumes.Get(ctx, c.demo, v.ID).Extract).Multiattach {
		t.Error("it is not to be shared")
	}
	attach := func(host, mode string) (*attachments.Attachment, error) {
		a, err := attachments.Create(ctx, c.demo, attachments.CreateOpts{VolumeUUID: v.ID, InstanceUUID: uuid.NewString(), Mode: mode, Connector: map[string]any{
			"host": host, "initiator": "iqn.1993-08.org.debian:01:" + host,
		}}).Extract()
		if err == nil {
			err = attachments.Complete(ctx, c.demo, a.ID).ExtractErr()
		}
		return a, err
	}
	one := must(t, func() (*attachments.Attachment, error) { return attach("one", "rw") })
	two := must(t, func() (*attachments.Attachment, error) { return attach("two", "rw") })
	if one.ConnectionInfo["auth_password"] == two.ConnectionInfo["auth_password"] {
		t.Error("two hosts have one password")
	}
	_, err := attach("three", "ro")
	refused(t, err, 400, "read-only to one initiator and writable to another") // clinker dev uses tgt
	if got := must(t, volumes.Get(ctx, c.demo, v.ID).Extract); got.Status != "in-use" || len(got.Attachments) != 2 {
		t.Errorf("%+v", got)
	}
	refused(t, volumes.Detach(ctx, c.demo, v.ID, volumes.DetachOpts{}).ExtractErr(), 400, "More than one attachment")
	check(t, attachments.Delete(ctx, c.demo, one.ID).ExtractErr())
	if got := must(t, volumes.Get(ctx, c.demo, v.ID).Extract); got.Status != "in-use" || len(got.Attachments) != 1 || got.Attachments[0].AttachmentID != two.ID {
		t.Errorf("%+v", got)
	}
	check(t, volumes.ResetStatus(ctx, c.admin, v.ID, volumes.ResetStatusOpts{Status: "available", AttachStatus: "detached"}).ExtractErr())
	rig.DeleteVolume(t, c.demo, v.ID)
	check(t, volumetypes.Delete(ctx, c.admin, kind.ID).ExtractErr())
}
