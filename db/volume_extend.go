package db

import (
	"context"

	"clinker/internal/fault"
)

// NotLonger is what Cinder says of an extension, to so many GiB, that is none.
func NotLonger(v Volume, newSizeGiB int) error {
	return fault.New(fault.Invalid, "Invalid input received: New size for extend must be greater than current size. (current: %d, extended: %d).", v.SizeGiB, newSizeGiB)
}

// BeginExtend starts to make a volume longer: its status, the quota of the
// growth and the job, all at once. m is ExtendBegin or ExtendBeginInUse. v may have
// grown, or gone to another project, since it was read: the growth is what is left of
// it, in the quota of who has it now. NotLonger when there is none.
func (t *Tx) BeginExtend(ctx context.Context, v Volume, m Move, newSizeGiB int, request string, limits Limits) error {
	moved, err := t.MoveVolume(ctx, v.ID, m, "", map[string]any{"target_size_gib": newSizeGiB})
	if err == nil {
		err = refuseSwapped(moved)
	}
	if err == nil && newSizeGiB <= moved.SizeGiB {
		err = NotLonger(moved, newSizeGiB)
	}
	if err != nil {
		return err
	}
	if err := t.noneBeingTaken(ctx, v.ID); err != nil {
		return err
	}
	name, err := t.typeName(ctx, moved.VolumeTypeID)
	if err != nil {
		return err
	}
	if err := t.Use(ctx, moved.ProjectID, GrowthUse(newSizeGiB-moved.SizeGiB, name), limits); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeExtendArgs{VolumeID: v.ID, Request: request})
}

// FinishExtend gives the volume its new size. Conflict when v is not the row as
// it is now; then nothing must be written, and v be read again.
func (t *Tx) FinishExtend(ctx context.Context, v Volume) (Volume, error) {
	return t.MoveVolumeAt(ctx, v, ExtendDone, "", map[string]any{
		"size_gib": *v.TargetSizeGiB, "target_size_gib": nil,
	})
}

// SuspendExtend is for a node that does not answer, and may have made the volume
// longer, or make it so yet: quota and place of the growth stay promised until
// ResumeExtend. Conflict as for FinishExtend.
func (t *Tx) SuspendExtend(ctx context.Context, v Volume, reason string) error {
	_, err := t.MoveVolumeAt(ctx, v, ExtendFailed, reason, nil)
	return err
}

// ResumeExtend goes on with a suspended extension. Conflict when the volume was
// moved meanwhile.
func (t *Tx) ResumeExtend(ctx context.Context, v Volume) error {
	if _, err := t.MoveVolumeAt(ctx, v, ExtendResume, "", nil); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeExtendArgs{VolumeID: v.ID, Request: v.RequestID})
}

// FindExtended gives a volume whose extension failed the size that its node has it
// in all the same, and counts that: what is there cannot shrink. Conflict as for
// FinishExtend.
func (t *Tx) FindExtended(ctx context.Context, v Volume, sizeGiB int) error {
	moved, err := t.MoveVolumeAt(ctx, v, ExtendFound, "its storage node has made it longer all the same", map[string]any{"size_gib": sizeGiB})
	if err != nil {
		return err
	}
	t.later(`UPDATE pools p SET allocated_bytes = p.allocated_bytes + ($2 - v.claimed_bytes)
		FROM volumes v WHERE v.id = $1 AND p.id = v.pool_id AND v.claimed_bytes < $2`, v.ID, int64(sizeGiB)<<30)
	t.later("UPDATE volumes SET claimed_bytes = $2 WHERE id = $1 AND claimed_bytes < $2", v.ID, int64(sizeGiB)<<30)
	if !moved.ConsumesQuota {
		return nil
	}
	name, err := t.typeName(ctx, moved.VolumeTypeID)
	if err != nil {
		return err
	}
	return t.Use(ctx, moved.ProjectID, GrowthUse(sizeGiB-v.SizeGiB, name), nil)
}

// FailExtend leaves the volume as long as it was and gives back the quota and
// the place that its growth had been promised. m is ExtendFailed or
// ExtendRefused. Conflict as for FinishExtend.
func (t *Tx) FailExtend(ctx context.Context, v Volume, m Move, reason string) error {
	if _, err := t.MoveVolumeAt(ctx, v, m, reason, map[string]any{"target_size_gib": nil}); err != nil {
		return err
	}
	if err := t.Unclaim(ctx, v.ID, int64(v.SizeGiB)<<30); err != nil {
		return err
	}
	name, err := t.typeName(ctx, v.VolumeTypeID)
	if err != nil {
		return err
	}
	return t.Use(ctx, v.ProjectID, GrowthUse(v.SizeGiB-*v.TargetSizeGiB, name), nil)
}
