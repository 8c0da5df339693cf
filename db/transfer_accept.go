package db

import (
	"context"
	"slices"

	"clinker/internal/fault"
)

// AcceptTransfer gives the volume, and its snapshots unless they stay, to a
// project and a user: owner, quota of both projects and the end of the offer, all
// at once. The new project's limits must allow for it: OverQuota otherwise.
// Invalid when volume or snapshots are not as they were offered; NotFound when
// somebody else was faster.
func (t *Tx) AcceptTransfer(ctx context.Context, offer Transfer, project, user string, limits Limits) error {
	owner := map[string]any{"project_id": project, "user_id": user}
	t.lockVolume(offer.VolumeID)
	if err := t.endTransfer(offer.ID, &project); err != nil {
		return err
	}
	v, err := t.MoveVolume(ctx, offer.VolumeID, TransferAccept, "", owner)
	if fault.Is(err, fault.Conflict) {
		return fault.Wrap(err, fault.Invalid, "Invalid volume: Transfer %s: Volume id %s expected in awaiting-transfer state.", offer.ID, offer.VolumeID)
	}
	if err != nil {
		return err
	}
	use, err := t.volumeUse(ctx, v)
	if err != nil {
		return err
	}
	if !offer.NoSnapshots {
		more, err := t.passSnapshots(ctx, offer, owner)
		if err != nil {
			return err
		}
		use = append(use, more...)
	}
	if err := t.endTransfers(v.ID); err != nil {
		return err
	}
	use = merged(use)
	// What is given back comes first: project may be the source itself.
	if err := t.Use(ctx, offer.SourceProjectID, negative(use), nil); err != nil {
		return err
	}
	return t.Use(ctx, project, use, limits)
}

// volumeUse is what a volume counts in the quota.
func (t *Tx) volumeUse(ctx context.Context, v Volume) ([]Delta, error) {
	if !v.ConsumesQuota {
		return nil, nil
	}
	name, err := t.typeName(ctx, v.VolumeTypeID)
	return VolumeUse(v.SizeGiB, name, 1), err
}

// passSnapshots gives the volume's snapshots to their new owner, and tells what
// they count in the quota. The volume is locked: no further one can come. Those of
// a third project, which took them before or as an administrator, stay its own.
func (t *Tx) passSnapshots(ctx context.Context, offer Transfer, owner map[string]any) (use []Delta, err error) {
	var ids []string
	err = t.gorm.Raw("SELECT id FROM snapshots WHERE volume_id = ? AND project_id = ? AND deleted_at IS NULL ORDER BY id",
		offer.VolumeID, offer.SourceProjectID).Scan(&ids).Error
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		s, err := t.MoveSnapshot(ctx, id, SnapshotTransferred, "", owner)
		if fault.Is(err, fault.Conflict) {
			return nil, fault.Wrap(err, fault.Invalid, "Invalid snapshot: Transfer %s: Snapshot %s is not in the expected available state.", offer.ID, id)
		}
		if err != nil {
			return nil, err
		}
		if !s.ConsumesQuota {
			continue
		}
		name, err := t.typeName(ctx, s.VolumeTypeID)
		if err != nil {
			return nil, err
		}
		use = append(use, SnapshotUse(s, name, 1)...)
	}
	return use, nil
}

// merged adds up what counts in the same resource, so that a refusal can tell
// how much was asked for.
func merged(use []Delta) []Delta {
	var all []Delta
	for _, d := range use {
		i := slices.IndexFunc(all, func(o Delta) bool { return o.Resource == d.Resource })
		if i < 0 {
			all = append(all, d)
			continue
		}
		all[i].Amount += d.Amount
	}
	return all
}

// negative gives back what use takes.
func negative(use []Delta) []Delta {
	less := make([]Delta, len(use))
	for i, d := range use {
		less[i] = Delta{d.Resource, -d.Amount}
	}
	return less
}
