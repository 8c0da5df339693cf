package gopher

import (
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/transfers"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// giving has a volume change hands, with gophercloud's own calls.
func giving(t *testing.T, c clouds) {
	ctx := t.Context()
	v := rig.NewVolume(t, c.demo, volumes.CreateOpts{Size: 1, Name: "given"})
	snapshot := rig.NewSnapshot(t, c.demo, v.ID)
	offer := must(t, transfers.Create(ctx, c.demo, transfers.CreateOpts{VolumeID: v.ID, Name: "take it"}).Extract)
	if len(offer.AuthKey) != 16 || offer.VolumeID != v.ID || offer.Name != "take it" {
		t.Errorf("%+v", offer)
	}
	if shown := must(t, transfers.Get(ctx, c.demo, offer.ID).Extract); shown.AuthKey != "" || shown.ID != offer.ID {
		t.Errorf("%+v", shown)
	}
	listed, err := transfers.ExtractTransfers(must(t, func() (transfers.TransferPage, error) {
		page, err := transfers.List(c.demo, transfers.ListOpts{}).AllPages(ctx)
		if err != nil {
			return transfers.TransferPage{}, err
		}
		return page.(transfers.TransferPage), nil
	}))
	if err != nil || len(listed) != 1 || listed[0].ID != offer.ID {
		t.Errorf("%+v %v", listed, err)
	}
	refused(t, volumes.Delete(ctx, c.demo, v.ID, nil).ExtractErr(), 400, "awaiting a transfer")
	refused(t, transfers.Accept(ctx, c.admin, offer.ID, transfers.AcceptOpts{AuthKey: "0000000000000000"}).Err, 400, "Invalid auth key")
	check(t, transfers.Delete(ctx, c.demo, offer.ID).ExtractErr())
	rig.AwaitVolume(t, c.demo, v.ID, "available")

	offer = must(t, transfers.Create(ctx, c.demo, transfers.CreateOpts{VolumeID: v.ID}).Extract)
	if taken := must(t, transfers.Accept(ctx, c.admin, offer.ID, transfers.AcceptOpts{AuthKey: offer.AuthKey}).Extract); taken.VolumeID != v.ID {
		t.Errorf("%+v", taken)
	}
	refused(t, volumes.Get(ctx, c.demo, v.ID).Err, 404, "could not be found")
	rig.AwaitVolume(t, c.admin, v.ID, "available")
	rig.AwaitSnapshot(t, c.admin, snapshot.ID, "available")
	check(t, volumes.Delete(ctx, c.admin, v.ID, volumes.DeleteOpts{Cascade: true}).ExtractErr())
	rig.AwaitSnapshotGone(t, c.admin, snapshot.ID)
}
