package db

import (
	"context"
	"errors"
)

// Abandon gives back what a volume's work in progress has been promised beyond
// what the volume is, for who has set its status by hand or deletes it whatever
// that is: the growth of an extension, the quota of a retype. The work's job finds another status and
// ends. Call it behind the MoveVolume, which gives moved.
func (t *Tx) Abandon(ctx context.Context, moved Volume) error {
	if err := errors.Join(t.AbandonUploads(ctx, moved.ID), t.AbandonReimage(ctx, moved.ID)); err != nil {
		return err
	}
	if err := t.AbandonRetype(ctx, moved.ID); err != nil {
		return err
	}
	return t.AbandonGrowth(ctx, moved)
}

// AbandonGrowth gives back what the growth of a volume has been promised whose
// extension is under way or suspended. Call it behind the MoveVolume, which gives
// moved.
func (t *Tx) AbandonGrowth(ctx context.Context, moved Volume) error {
	if moved.TargetSizeGiB == nil {
		return nil
	}
	if _, err := t.UpdateVolume(ctx, moved.ID, map[string]any{"target_size_gib": nil}); err != nil {
		return err
	}
	if err := t.Unclaim(ctx, moved.ID, int64(moved.SizeGiB)<<30); err != nil || !moved.ConsumesQuota {
		return err
	}
	name, err := t.typeName(ctx, moved.VolumeTypeID)
	if err != nil {
		return err
	}
	growth := max(*moved.TargetSizeGiB-moved.SizeGiB, 0)
	return t.Use(ctx, moved.ProjectID, GrowthUse(-growth, name), nil)
}
