package gopher

import (
	"fmt"
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumetypes"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"clinker/tempest/rig"
)

func types(t *testing.T, c clouds) {
	ctx := t.Context()
	kind := must(t, volumetypes.Create(ctx, c.admin, volumetypes.CreateOpts{
		Name: "fast", Description: "the quick one", ExtraSpecs: map[string]string{"volume_backend_name": "file"},
	}).Extract)
	if kind.Name != "fast" || !kind.IsPublic {
		t.Errorf("created: %+v", kind)
	}
	refused(t, volumetypes.Create(ctx, c.admin, volumetypes.CreateOpts{Name: "fast"}).Err, 409, "fast")
	refused(t, volumetypes.Create(ctx, c.demo, volumetypes.CreateOpts{Name: "mine"}).Err, 403, "Policy doesn't allow")

	_, err := volumetypes.CreateExtraSpecs(ctx, c.admin, kind.ID, volumetypes.ExtraSpecsOpts{"a": "1", "b": "2"}).Extract()
	check(t, err)
	_, err = volumetypes.UpdateExtraSpec(ctx, c.admin, kind.ID, volumetypes.ExtraSpecsOpts{"a": "3"}).Extract()
	check(t, err)
	check(t, volumetypes.DeleteExtraSpec(ctx, c.admin, kind.ID, "b").ExtractErr())
	specs := must(t, volumetypes.ListExtraSpecs(ctx, c.admin, kind.ID).Extract)
	if fmt.Sprint(specs) != "map[a:3 volume_backend_name:file]" {
		t.Errorf("extra specs: %v", specs)
	}
	check(t, volumetypes.DeleteExtraSpec(ctx, c.admin, kind.ID, "a").ExtractErr())
	kind = must(t, volumetypes.Update(ctx, c.admin, kind.ID, volumetypes.UpdateOpts{Name: new("faster")}).Extract)
	if kind.Name != "faster" {
		t.Errorf("updated: %+v", kind)
	}

	page := must(t, func() (pagination.Page, error) { return volumetypes.List(c.demo, nil).AllPages(ctx) })
	if all := must(t, func() ([]volumetypes.VolumeType, error) { return volumetypes.ExtractVolumeTypes(page) }); len(all) != 2 {
		t.Errorf("listed: %+v", all)
	}
	v := rig.NewVolume(t, c.demo, volumes.CreateOpts{Size: 1, VolumeType: "faster"})
	if v.VolumeType != "faster" {
		t.Errorf("the volume's type is %s", v.VolumeType)
	}
	refused(t, volumetypes.Delete(ctx, c.admin, kind.ID).ExtractErr(), 400, "in use")
	rig.DeleteVolume(t, c.demo, v.ID)
	check(t, volumetypes.Delete(ctx, c.admin, kind.ID).ExtractErr())
	refused(t, volumetypes.Get(ctx, c.admin, kind.ID).Err, 404, kind.ID)

	nowhere := must(t, volumetypes.Create(ctx, c.admin, volumetypes.CreateOpts{
		Name: "nowhere", ExtraSpecs: map[string]string{"volume_backend_name": "none"}}).Extract)
	v = must(t, volumes.Create(ctx, c.demo, volumes.CreateOpts{Size: 1, VolumeType: "nowhere"}, nil).Extract)
	rig.AwaitVolume(t, c.demo, v.ID, "error")
	rig.DeleteVolume(t, c.demo, v.ID)
	check(t, volumetypes.Delete(ctx, c.admin, nowhere.ID).ExtractErr())
}
