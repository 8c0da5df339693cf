package gopher

import (
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/availabilityzones"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/limits"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/quotasets"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/schedulerstats"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/services"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"clinker/tempest/rig"
)

func quotas(t *testing.T, c clouds) {
	ctx := t.Context()
	v := rig.NewVolume(t, c.demo, volumes.CreateOpts{Size: 2})
	project := must(t, volumes.Get(ctx, c.admin, v.ID).Extract).TenantID
	set := must(t, quotasets.Update(ctx, c.admin, project, quotasets.UpdateOpts{Volumes: new(1), Gigabytes: new(5)}).Extract)
	if set.Volumes != 1 || set.Gigabytes != 5 || set.Snapshots != 10 {
		t.Errorf("updated: %+v", set)
	}
	used := must(t, quotasets.GetUsage(ctx, c.admin, project).Extract)
	if used.Volumes.InUse != 1 || used.Volumes.Limit != 1 || used.Gigabytes.InUse != 2 {
		t.Errorf("use: %+v", used)
	}
	refused(t, volumes.Create(ctx, c.demo, volumes.CreateOpts{Size: 1}, nil).Err, 413,
		"VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for quota 'volumes'")
	refused(t, volumes.ExtendSize(ctx, c.demo, v.ID, volumes.ExtendSizeOpts{NewSize: 6}).ExtractErr(), 413, "Requested 4G, quota is 5G and 2G has been consumed")
	l := must(t, limits.Get(ctx, c.demo).Extract).Absolute
	if l.MaxTotalVolumes != 1 || l.TotalVolumesUsed != 1 || l.MaxTotalVolumeGigabytes != 5 || l.TotalGigabytesUsed != 2 {
		t.Errorf("limits: %+v", l)
	}
	refused(t, quotasets.Update(ctx, c.demo, project, quotasets.UpdateOpts{Volumes: new(99)}).Err, 403, "Policy doesn't allow")
	check(t, quotasets.Delete(ctx, c.admin, project).ExtractErr())
	if set := must(t, quotasets.Get(ctx, c.admin, project).Extract); set.Volumes != 10 || set.Gigabytes != 1000 {
		t.Errorf("after deleting: %+v", set)
	}
	rig.DeleteVolume(t, c.demo, v.ID)
}

func operator(t *testing.T, c clouds) {
	ctx := t.Context()
	page := must(t, func() (pagination.Page, error) { return services.List(c.admin, nil).AllPages(ctx) })
	up := map[string]int{}
	for _, s := range must(t, func() ([]services.Service, error) { return services.ExtractServices(page) }) {
		if s.State == "up" && s.Status == "enabled" && s.Zone == "nova" {
			up[s.Binary]++
		}
	}
	if up["cinder-volume"] != 1 || up["cinder-scheduler"] != 1 {
		t.Errorf("services that are up: %v", up)
	}
	page = must(t, func() (pagination.Page, error) {
		return schedulerstats.List(c.admin, schedulerstats.ListOpts{Detail: true}).AllPages(ctx)
	})
	pools := must(t, func() ([]schedulerstats.StoragePool, error) { return schedulerstats.ExtractStoragePools(page) })
	if len(pools) != 1 || pools[0].Name != "node1@file#file" || pools[0].Capabilities.TotalCapacityGB <= 0 ||
		pools[0].Capabilities.FreeCapacityGB <= 0 || pools[0].Capabilities.StorageProtocol != "iSCSI" {
		t.Errorf("pools: %+v", pools)
	}
	page = must(t, func() (pagination.Page, error) { return availabilityzones.List(c.demo).AllPages(ctx) })
	zones := must(t, func() ([]availabilityzones.AvailabilityZone, error) {
		return availabilityzones.ExtractAvailabilityZones(page)
	})
	if len(zones) != 1 || zones[0].ZoneName != "nova" || !zones[0].ZoneState.Available {
		t.Errorf("zones: %+v", zones)
	}
	refused(t, services.List(c.demo, nil).EachPage(ctx, nil), 403, "Policy doesn't allow")
}
