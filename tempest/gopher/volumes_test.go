package gopher

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"clinker/tempest/rig"
)

func life(t *testing.T, c clouds) {
	ctx := t.Context()
	v := must(t, volumes.Create(ctx, c.demo, volumes.CreateOpts{
		Size: 1, Name: "life", Description: "of a volume", AvailabilityZone: "nova", Metadata: map[string]string{"k": "v"},
	}, nil).Extract)
	if v.Status != "creating" || v.Size != 1 || time.Since(v.CreatedAt) > time.Hour {
		t.Errorf("created: %+v", v)
	}
	v = rig.AwaitVolume(t, c.demo, v.ID, "available")
	if got := fmt.Sprint(v.Name, v.Description, v.AvailabilityZone, v.Metadata, v.Bootable, v.VolumeType, v.Encrypted, v.Multiattach); got !=
		"lifeof a volumenovamap[k:v]false__DEFAULT__false false" {
		t.Errorf("available: %s", got)
	}
	v = must(t, volumes.Update(ctx, c.demo, v.ID, volumes.UpdateOpts{
		Name: new("second"), Metadata: map[string]string{"k": "w", "l": "x"},
	}).Extract)
	if v.Name != "second" || fmt.Sprint(v.Metadata) != "map[k:w l:x]" || v.Description != "of a volume" {
		t.Errorf("updated: %+v", v)
	}
	check(t, volumes.ExtendSize(ctx, c.demo, v.ID, volumes.ExtendSizeOpts{NewSize: 3}).ExtractErr())
	if v = rig.AwaitVolume(t, c.demo, v.ID, "available"); v.Size != 3 {
		t.Errorf("extended to %d GiB, want 3", v.Size)
	}
	if v = must(t, volumes.Get(ctx, c.admin, v.ID).Extract); v.Host == "" || v.TenantID == "" {
		t.Errorf("an administrator sees no host and project: %+v", v)
	}
	rig.DeleteVolume(t, c.demo, v.ID)
}

// pages lists seven volumes by twos, in both directions.
func pages(t *testing.T, c clouds) {
	var want []string
	for i := range 7 {
		v := rig.NewVolume(t, c.demo, volumes.CreateOpts{Size: 1, Name: fmt.Sprintf("page-%d", i)})
		want = append(want, v.Name)
		defer rig.DeleteVolume(t, c.demo, v.ID)
	}
	backward := slices.Clone(want)
	slices.Reverse(backward)
	for order, want := range map[string][]string{"name:asc": want, "name:desc": backward} {
		var got []string
		n := 0
		err := volumes.List(c.demo, volumes.ListOpts{Limit: 2, Sort: order}).EachPage(t.Context(), func(_ context.Context, p pagination.Page) (bool, error) {
			found, err := volumes.ExtractVolumes(p)
			for _, v := range found {
				got = append(got, v.Name)
			}
			n++
			return len(found) <= 2, err
		})
		if err != nil || n != 4 || !slices.Equal(got, want) {
			t.Errorf("%s: %d pages with %v (%v)", order, n, got, err)
		}
	}
}

func filters(t *testing.T, c clouds) {
	red := rig.NewVolume(t, c.demo, volumes.CreateOpts{Size: 1, Name: "red", Metadata: map[string]string{"colour": "red"}})
	blue := rig.NewVolume(t, c.demo, volumes.CreateOpts{Size: 2, Name: "blue", Metadata: map[string]string{"colour": "blue"}})
	for _, f := range []struct {
		client *gophercloud.ServiceClient
		opts   volumes.ListOpts
		want   []string
	}{
		{c.demo, volumes.ListOpts{Sort: "size:desc"}, []string{"blue", "red"}},
		{c.demo, volumes.ListOpts{Name: "red"}, []string{"red"}},
		{c.demo, volumes.ListOpts{Metadata: map[string]string{"colour": "blue"}}, []string{"blue"}},
		{c.demo, volumes.ListOpts{Status: "error"}, nil},
		{c.demo, volumes.ListOpts{AllTenants: true, Sort: "size:asc"}, []string{"red", "blue"}},
		{c.admin, volumes.ListOpts{}, nil},
		{c.admin, volumes.ListOpts{AllTenants: true, Sort: "size:asc"}, []string{"red", "blue"}},
		{c.demo, volumes.ListOpts{Sort: "size:asc", Offset: 1}, []string{"blue"}},
	} {
		page := must(t, func() (pagination.Page, error) { return volumes.List(f.client, f.opts).AllPages(t.Context()) })
		var got []string
		for _, v := range must(t, func() ([]volumes.Volume, error) { return volumes.ExtractVolumes(page) }) {
			got = append(got, v.Name)
		}
		if !slices.Equal(got, f.want) {
			t.Errorf("%+v: %v, want %v", f.opts, got, f.want)
		}
	}
	rig.DeleteVolume(t, c.demo, red.ID)
	rig.DeleteVolume(t, c.demo, blue.ID)
}
