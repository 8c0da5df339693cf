package db

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"clinker/internal/fault"
)

// InsertGroupSnapshot writes a new group snapshot, in status creating, with a
// snapshot for every volume of its group, and their quota. The group and its
// volumes are kept as they are until the transaction ends. Invalid, in Cinder's
// words, when one of them does not allow it, or there are none. withGiB counts
// sizes in gigabytes.
func (t *Tx) InsertGroupSnapshot(ctx context.Context, gs *GroupSnapshot, withGiB bool, limits Limits) error {
	g, err := t.lockGroup(gs.GroupID)
	if err != nil {
		return err
	}
	volumes, err := t.lockMembers(g.ID)
	if err != nil {
		return err
	}
	switch {
	case slices.Contains([]string{GroupDeleting, GroupErrorDeleting}, g.Status):
		return fault.New(fault.Invalid, "Invalid Group: Group status must be available, but current status is: %s", g.Status)
	case slices.Contains([]string{GroupCreating, GroupUpdating}, g.Status), len(volumes) == 0:
		return fault.New(fault.Invalid, "Invalid Group: Source group cannot be empty or in 'creating' or 'updating' state. No group snapshot will be created.")
	}
	gs.Status, gs.Generation, gs.GroupTypeID, gs.CreatedAt = GroupCreating, 1, g.GroupTypeID, t.Now()
	if err := t.gorm.Create(gs).Error; err != nil {
		return err
	}
	movedGroupSnapshots.begin(t, gs.ID, gs.Generation, gs.Status)
	for _, v := range volumes {
		s := Snapshot{ID: uuid.NewString(), VolumeID: v.ID, ProjectID: gs.ProjectID, UserID: gs.UserID, Name: gs.Name,
			Description: gs.Description, GroupSnapshotID: &gs.ID, RequestID: gs.RequestID}
		if err := t.InsertSnapshot(ctx, &s, []string{"available", "in-use"}, withGiB, limits); err != nil {
			return err
		}
	}
	return t.Enqueue(ctx, GroupSnapshotCreateArgs{GroupSnapshotID: gs.ID, Request: gs.RequestID})
}

// FinishGroupSnapshot: the nodes have all members. Conflict when one of the rows
// is not as it was read; then all must be read again.
func (t *Tx) FinishGroupSnapshot(ctx context.Context, gs GroupSnapshot, members []Snapshot) error {
	if _, err := t.MoveGroupSnapshotAt(ctx, gs, GroupSnapshotDone, "", nil); err != nil {
		return err
	}
	for _, s := range members {
		if s.Status != SnapshotCreating {
			continue
		}
		if _, err := t.MoveSnapshotAt(ctx, s, SnapshotCreateDone, "", map[string]any{"progress": "100%"}); err != nil {
			return err
		}
	}
	return nil
}

// FailGroupSnapshot ends a creation that did not succeed, and gives back the
// claims of all members: those that were taken are remains. Conflict as for
// FinishGroupSnapshot.
func (t *Tx) FailGroupSnapshot(ctx context.Context, gs GroupSnapshot, members []Snapshot, reason string) error {
	if _, err := t.MoveGroupSnapshotAt(ctx, gs, GroupSnapshotFailed, reason, nil); err != nil {
		return err
	}
	for _, s := range members {
		if s.Status != SnapshotCreating {
			continue
		}
		if err := t.FailSnapshot(ctx, s, reason); err != nil {
			return err
		}
	}
	return nil
}

// RetryGroupSnapshot raises all generations, so that what is asked of the nodes
// next is something new. Conflict as for FinishGroupSnapshot.
func (t *Tx) RetryGroupSnapshot(ctx context.Context, gs GroupSnapshot, members []Snapshot, reason string) error {
	if _, err := t.MoveGroupSnapshotAt(ctx, gs, GroupSnapshotWait, reason, nil); err != nil {
		return err
	}
	for _, s := range members {
		if s.Status != SnapshotCreating {
			continue
		}
		if _, err := t.MoveSnapshotAt(ctx, s, SnapshotCreateWait, reason, nil); err != nil {
			return err
		}
	}
	return nil
}

// HoldGroupSnapshot keeps a group snapshot from being deleted until the
// transaction ends, for who makes a group of it, and gives its members. Invalid,
// in Cinder's words, when there are none, or one is not available.
func (t *Tx) HoldGroupSnapshot(ctx context.Context, id string) ([]Snapshot, error) {
	held := t.gorm.Exec("SELECT 1 FROM group_snapshots WHERE id = ? AND deleted_at IS NULL FOR SHARE", id)
	if held.Error == nil && held.RowsAffected == 0 {
		return nil, GroupSnapshotNotFound(id)
	}
	if held.Error != nil {
		return nil, held.Error
	}
	var members []Snapshot
	err := t.gorm.Raw(`SELECT * FROM snapshots WHERE group_snapshot_id = ? AND deleted_at IS NULL
		AND group_snapshot_id IS NOT NULL ORDER BY id FOR SHARE`, id).Scan(&members).Error
	if err == nil && len(members) == 0 {
		err = fault.New(fault.Invalid, "Invalid Group: Group snapshot is empty. No group will be created.")
	}
	for _, s := range members {
		if err == nil {
			err = s.Usable()
		}
	}
	return members, err
}

// HoldGroupMembers does the same for a group that is to be copied.
func (t *Tx) HoldGroupMembers(ctx context.Context, id string) ([]Volume, error) {
	if _, err := t.HoldGroup(ctx, id); err != nil {
		return nil, err
	}
	var members []Volume
	err := t.gorm.Raw(`SELECT * FROM volumes WHERE group_id = ? AND deleted_at IS NULL AND group_id IS NOT NULL
		ORDER BY id FOR SHARE`, id).Scan(&members).Error
	if err == nil && len(members) == 0 {
		err = fault.New(fault.Invalid, "Invalid Group: Source Group is empty. No group will be created.")
	}
	for _, v := range members {
		if err == nil && v.Status != "available" && v.Status != "in-use" {
			err = fault.New(fault.Invalid, "Invalid volume: Originating volume status must be one of available, in-use, but current status is: %s.", v.Status)
		}
	}
	return members, err
}
