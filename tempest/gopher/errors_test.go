package gopher

import (
	"testing"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// refusals are the mistakes that programs make.
func refusals(t *testing.T, c clouds) {
	ctx := t.Context()
	create := func(o volumes.CreateOpts) error { return volumes.Create(ctx, c.demo, o, nil).Err }
	unknown := uuid.NewString()
	refused(t, volumes.Get(ctx, c.demo, unknown).Err, 404, "Volume "+unknown+" could not be found.")
	refused(t, volumes.Get(ctx, c.demo, "no-uuid").Err, 404, "Volume no-uuid could not be found.")
	refused(t, volumes.Delete(ctx, c.demo, unknown, nil).ExtractErr(), 404, unknown)
	refused(t, create(volumes.CreateOpts{Size: -1}), 400, "-1")
	refused(t, create(volumes.CreateOpts{}), 400, "")
	refused(t, create(volumes.CreateOpts{Size: 1, VolumeType: "nonesuch"}), 404, "nonesuch")
	refused(t, create(volumes.CreateOpts{Size: 1, AvailabilityZone: "mars"}), 400, "Availability zone 'mars' is invalid")
	refused(t, create(volumes.CreateOpts{Size: 1, SnapshotID: unknown}), 404, "Snapshot "+unknown)
	refused(t, create(volumes.CreateOpts{Size: 1, SourceVolID: unknown}), 404, unknown)
	refused(t, volumes.List(c.demo, volumes.ListOpts{Marker: unknown}).EachPage(ctx, nil), 404, unknown)
	refused(t, volumes.List(c.demo, volumes.ListOpts{Sort: "colour:up"}).EachPage(ctx, nil), 400, "")

	v := rig.NewVolume(t, c.demo, volumes.CreateOpts{Size: 2})
	refused(t, volumes.ExtendSize(ctx, c.demo, v.ID, volumes.ExtendSizeOpts{NewSize: 1}).ExtractErr(), 400, "greater")
	refused(t, create(volumes.CreateOpts{Size: 1, SourceVolID: v.ID}), 400, "")
	private := rig.NewVolume(t, c.admin, volumes.CreateOpts{Size: 1})
	refused(t, volumes.Get(ctx, c.demo, private.ID).Err, 404, "could not be found")
	refused(t, volumes.ResetStatus(ctx, c.demo, v.ID, volumes.ResetStatusOpts{Status: "error"}).ExtractErr(), 403, "Policy doesn't allow")
	rig.DeleteVolume(t, c.demo, v.ID)
	rig.DeleteVolume(t, c.admin, private.ID)
}

func unauthorized(t *testing.T, c clouds) {
	stranger := *c.demo
	stranger.ProviderClient = &gophercloud.ProviderClient{TokenID: "made-up"}
	refused(t, volumes.Get(t.Context(), &stranger, uuid.NewString()).Err, 401, "")
	future := *c.demo
	future.Microversion = "3.999"
	refused(t, volumes.Get(t.Context(), &future, uuid.NewString()).Err, 406, "3.999")
}
