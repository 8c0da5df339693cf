package db

import (
	"context"

	"clinker/internal/fault"
)

// BeginGroupDelete starts the deletion of a group, and of its volumes if they are
// to go with it, or ends it at once where nothing is on a node. Invalid, in
// Cinder's words, when something does not allow it; nothing is changed then.
func (t *Tx) BeginGroupDelete(ctx context.Context, id string, withVolumes bool, request string) error {
	g, err := t.lockGroup(id)
	if err != nil {
		return err
	}
	if g.Status == GroupDeleting && withVolumes {
		return nil // clients repeat
	}
	volumes, err := t.lockMembers(id)
	if err != nil {
		return err
	}
	if len(volumes) == 0 && g.PoolID == nil {
		return t.FinishGroupDelete(ctx, g)
	}
	move := GroupDeleteWithVolumes
	if !withVolumes {
		move = GroupDeleteBegin
	}
	if _, err := t.MoveGroup(ctx, id, move, "", nil); err != nil {
		if fault.Is(err, fault.Conflict) {
			err = fault.Wrap(err, fault.Invalid, "Invalid Group: Group status must be available or error, but current status is: %s", g.Status)
		}
		return err
	}
	if err := t.groupDeletable(ctx, id, volumes, withVolumes); err != nil {
		return err
	}
	if len(volumes) == 0 {
		return t.FinishGroupDelete(ctx, g)
	}
	for _, v := range volumes {
		if err := t.deleteMember(ctx, v, request); err != nil {
			return err
		}
	}
	return t.Enqueue(ctx, GroupDeleteArgs{GroupID: id, Request: request})
}

// lockMembers reads the volumes of a group, which is locked, for a change.
func (t *Tx) lockMembers(id string) (volumes []Volume, err error) {
	return volumes, t.gorm.Raw(`SELECT * FROM volumes WHERE group_id = ? AND deleted_at IS NULL AND group_id IS NOT NULL
		ORDER BY id FOR UPDATE`, id).Scan(&volumes).Error
}

// groupDeletable is nil when nothing needs the group or its volumes.
func (t *Tx) groupDeletable(ctx context.Context, id string, volumes []Volume, withVolumes bool) error {
	for _, needed := range []struct{ sql, text string }{
		{"SELECT EXISTS (SELECT 1 FROM group_snapshots WHERE group_id = ? AND deleted_at IS NULL)", "Group has existing snapshots."},
		{"SELECT EXISTS (SELECT 1 FROM groups WHERE source_group_id = ? AND deleted_at IS NULL AND status = 'creating')",
			"Cannot delete group " + id + ". It is the source for an ongoing group creation."},
	} {
		var is bool
		if err := t.gorm.Raw(needed.sql, id).Scan(&is).Error; err != nil {
			return err
		}
		if is {
			return fault.New(fault.Invalid, "Invalid Group: %s", needed.text)
		}
	}
	if len(volumes) > 0 && !withVolumes {
		return fault.New(fault.Invalid, "Invalid Group: Group %s still contains volumes. The delete-volumes flag is required to delete it.", id)
	}
	for _, v := range volumes {
		if err := t.memberDeletable(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) memberDeletable(ctx context.Context, v Volume) error {
	attachments, err := t.AttachmentsIn(ctx, v.ID)
	if err != nil {
		return err
	}
	snapshots, err := t.HasSnapshots(ctx, v.ID)
	switch {
	case err != nil:
		return err
	case len(attachments) > 0:
		return fault.New(fault.Invalid, "Invalid Group: Volume in group %s is attached. Need to detach first.", *v.GroupID)
	case snapshots:
		return fault.New(fault.Invalid, "Invalid Group: Volume in group still has dependent snapshots.")
	case migrating(v):
		return fault.New(fault.Invalid, "Invalid Group: Volume in group %s is migrating.", *v.GroupID)
	}
	return nil
}

func (t *Tx) deleteMember(ctx context.Context, v Volume, request string) error {
	v, err := t.MoveVolume(ctx, v.ID, VolumeGroupDelete, "", nil)
	if err == nil {
		err = t.Abandon(ctx, v)
	}
	if err != nil {
		return err
	}
	t.NotFrozen(v.PoolID)
	if v.PoolID == nil {
		return t.FinishDelete(ctx, v)
	}
	return t.Enqueue(ctx, VolumeDeleteArgs{VolumeID: v.ID, Request: request})
}

// FinishGroupDelete ends a group whose volumes are gone: it leaves every list,
// and its quota is given back. May be repeated: the second time it is NotFound.
func (t *Tx) FinishGroupDelete(ctx context.Context, g Group) error {
	gone, err := t.MoveGroup(ctx, g.ID, GroupDeleteDone, "", map[string]any{"deleted_at": t.Now(), "pool_id": nil})
	if err != nil {
		return err
	}
	return t.Use(ctx, gone.ProjectID, GroupUse(-1), nil)
}

// Members is how many live volumes or snapshots a group or group snapshot has,
// and how many of them are in a status that concerns its job.
type Members struct{ All, Creating, Deleting, Failed, Interrupted int }

// GroupMembers counts a group's volumes. Failed are those in error or
// error_deleting; interrupted of them those whose deletion goes on when their
// node is back, of which the history says so.
func (d *DB) GroupMembers(ctx context.Context, id, interrupted string) (m Members, err error) {
	err = d.pool.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE v.status IN ('creating', 'downloading')),
			count(*) FILTER (WHERE v.status = 'deleting'), count(*) FILTER (WHERE v.status IN ('error', 'error_deleting')),
			count(*) FILTER (WHERE v.status = 'error_deleting' AND h.reason = $2)
		FROM volumes v LEFT JOIN volume_history h ON h.volume_id = v.id AND h.generation = v.generation
		WHERE v.group_id = $1 AND v.deleted_at IS NULL AND v.group_id IS NOT NULL`, id, interrupted).
		Scan(&m.All, &m.Creating, &m.Deleting, &m.Failed, &m.Interrupted)
	return m, err
}
