package db

import (
	"context"
	"slices"
	"strings"
)

// What a volume and its snapshots count under their type's name. What they
// count in all, whatever their type, a retype does not change.

// counted is what one project counts under the name of one type.
type counted struct {
	ProjectID    string
	VolumeTypeID string
	Volumes      int
	Snapshots    int
	Gigabytes    int
}

// countedList has at most one element for each project and type.
type countedList []counted

// under gives the use of quota under a type's name: sign 1 to reserve it, -1 to
// give it back.
func (c counted) under(typeName string, sign int) (use []Delta) {
	for resource, amount := range map[string]int{QuotaVolumes: c.Volumes, QuotaSnapshots: c.Snapshots, QuotaGigabytes: c.Gigabytes} {
		if amount != 0 {
			use = append(use, Delta{resource + "_" + typeName, sign * amount})
		}
	}
	slices.SortFunc(use, func(a, b Delta) int { return strings.Compare(a.Resource, b.Resource) })
	return use
}

// byProject adds up, whatever the type.
func (all countedList) byProject() map[string]counted {
	sums := map[string]counted{}
	for _, c := range all {
		sum := sums[c.ProjectID]
		sum.Volumes, sum.Snapshots, sum.Gigabytes = sum.Volumes+c.Volumes, sum.Snapshots+c.Snapshots, sum.Gigabytes+c.Gigabytes
		sums[c.ProjectID] = sum
	}
	return sums
}

// countedOf adds up what a volume, which this transaction has moved, and its
// live snapshots count. It keeps the snapshots from going away meanwhile.
func (t *Tx) countedOf(v Volume) (countedList, error) {
	var all countedList
	own := counted{ProjectID: v.ProjectID, VolumeTypeID: v.VolumeTypeID}
	if v.ConsumesQuota {
		own.Volumes, own.Gigabytes = 1, v.SizeGiB
	}
	err := t.gorm.Raw(`WITH held AS (SELECT project_id, volume_type_id, quota_gib, consumes_quota FROM snapshots
			WHERE volume_id = ? AND deleted_at IS NULL ORDER BY id FOR UPDATE)
		SELECT project_id, volume_type_id, count(*) AS snapshots, sum(quota_gib) AS gigabytes FROM held
		WHERE consumes_quota GROUP BY project_id, volume_type_id`, v.ID).Scan(&all).Error
	return append(all, own), err
}

// takeRetype gives what a retype has reserved, and forgets it.
func (t *Tx) takeRetype(volumeID string) (all countedList, err error) {
	return all, t.gorm.Raw(`DELETE FROM volume_retypes WHERE volume_id = ?
		RETURNING project_id, volume_type_id, volumes, snapshots, gigabytes`, volumeID).Scan(&all).Error
}

// exchangeUse counts under the new type's name what has been counted under the
// old one's. That has been reserved, except for snapshots that have gone since.
func (t *Tx) exchangeUse(ctx context.Context, has, reserved countedList, typeID string) error {
	change := map[string][]Delta{}
	for _, c := range has {
		old, err := t.typeName(ctx, c.VolumeTypeID)
		if err != nil {
			return err
		}
		change[c.ProjectID] = append(change[c.ProjectID], c.under(old, -1)...)
	}
	name, err := t.typeName(ctx, typeID)
	if err != nil {
		return err
	}
	more := has.byProject()
	for project, r := range reserved.byProject() {
		more[project] = more[project].less(r)
	}
	for project, c := range more {
		if err := t.Use(ctx, project, append(change[project], c.under(name, 1)...), nil); err != nil {
			return err
		}
	}
	return nil
}

func (c counted) less(r counted) counted {
	c.Volumes, c.Snapshots, c.Gigabytes = c.Volumes-r.Volumes, c.Snapshots-r.Snapshots, c.Gigabytes-r.Gigabytes
	return c
}

// AbandonRetype gives back what a volume on its way to another type counts under
// that one's name. It may be repeated, and called for volumes that are not.
func (t *Tx) AbandonRetype(ctx context.Context, volumeID string) error {
	reserved, err := t.takeRetype(volumeID)
	for _, c := range reserved {
		var name string
		if err == nil {
			name, err = t.typeName(ctx, c.VolumeTypeID)
		}
		if err == nil {
			err = t.Use(ctx, c.ProjectID, c.under(name, -1), nil)
		}
	}
	return err
}
