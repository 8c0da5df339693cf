package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// BeginGroupSnapshotDelete starts the deletion of a group snapshot and its
// members, or ends it at once where it has none. Invalid, in Cinder's words, when
// its status does not allow it or a group is being made of it.
func (t *Tx) BeginGroupSnapshotDelete(ctx context.Context, id, request string) error {
	const undeletable = "Invalid GroupSnapshot: GroupSnapshot status must be available or error, and no Group can be currently using it as source for its creation."
	gs, err := t.MoveGroupSnapshot(ctx, id, GroupSnapshotDeleteBegin, "", nil)
	if fault.Is(err, fault.Conflict) {
		return fault.Wrap(err, fault.Invalid, undeletable)
	}
	if err != nil {
		return err
	}
	var used bool
	err = t.gorm.Raw("SELECT EXISTS (SELECT 1 FROM groups WHERE group_snapshot_id = ? AND deleted_at IS NULL AND status = 'creating')", id).Scan(&used).Error
	if err == nil && used {
		err = fault.New(fault.Invalid, undeletable)
	}
	if err != nil {
		return err
	}
	var members []string
	err = t.gorm.Raw("SELECT id FROM snapshots WHERE group_snapshot_id = ? AND deleted_at IS NULL AND group_snapshot_id IS NOT NULL ORDER BY id", id).Scan(&members).Error
	if err != nil {
		return err
	}
	if len(members) == 0 {
		return t.FinishGroupSnapshotDelete(ctx, gs)
	}
	for _, member := range members {
		if err := t.deleteMemberSnapshot(ctx, member, request); err != nil {
			return err
		}
	}
	return t.Enqueue(ctx, GroupSnapshotDeleteArgs{GroupSnapshotID: id, Request: request})
}

func (t *Tx) deleteMemberSnapshot(ctx context.Context, id, request string) error {
	s, err := t.MoveSnapshot(ctx, id, SnapshotGroupDelete, "", nil)
	if err != nil {
		return err
	}
	t.NotFrozen(s.PoolID)
	if s.PoolID == nil {
		return t.FinishSnapshotDelete(ctx, s)
	}
	return t.Enqueue(ctx, SnapshotDeleteArgs{SnapshotID: id, Request: request})
}

// FinishGroupSnapshotDelete ends a group snapshot whose members are gone. May be
// repeated: the second time it is NotFound.
func (t *Tx) FinishGroupSnapshotDelete(ctx context.Context, gs GroupSnapshot) error {
	_, err := t.MoveGroupSnapshot(ctx, gs.ID, GroupSnapshotDeleteDone, "", map[string]any{"deleted_at": t.Now()})
	return err
}

// GroupSnapshotMembers counts a group snapshot's members, as GroupMembers does.
func (d *DB) GroupSnapshotMembers(ctx context.Context, id, interrupted string) (m Members, err error) {
	err = d.pool.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE s.status = 'creating'),
			count(*) FILTER (WHERE s.status = 'deleting'), count(*) FILTER (WHERE s.status IN ('error', 'error_deleting')),
			count(*) FILTER (WHERE s.status = 'error_deleting' AND h.reason = $2)
		FROM snapshots s LEFT JOIN snapshot_history h ON h.snapshot_id = s.id AND h.generation = s.generation
		WHERE s.group_snapshot_id = $1 AND s.deleted_at IS NULL AND s.group_snapshot_id IS NOT NULL`, id, interrupted).
		Scan(&m.All, &m.Creating, &m.Deleting, &m.Failed, &m.Interrupted)
	return m, err
}

// lostGroupSnapshotsSQL is lostGroupsSQL for group snapshots.
var lostGroupSnapshotsSQL = `SELECT g.id, g.status, g.generation, g.request_id
	FROM group_snapshots g JOIN (VALUES ('creating', 'group_snapshot_create'), ('deleting', 'group_snapshot_delete')) AS moving (status, kind) USING (status)
	JOIN group_snapshot_history h ON h.group_snapshot_id = g.id AND h.generation = g.generation AND h.reason <> '` + ByAdministrator + `'
	WHERE g.deleted_at IS NULL AND g.status IN ('creating', 'deleting')
		AND COALESCE(g.updated_at, g.created_at) <= now() - $1::interval
		AND ` + jobless("moving.kind", "group_snapshot_id", "g.id") + `
	ORDER BY g.updated_at LIMIT $2`

// LostGroupSnapshots gives group snapshots that have been in a moving status for
// that long and have no job, at most limit of them.
func (d *DB) LostGroupSnapshots(ctx context.Context, quiet time.Duration, limit int) ([]GroupSnapshot, error) {
	rows, err := d.pool.Query(ctx, lostGroupSnapshotsSQL, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLostGroupSnapshot)
}

func scanLostGroupSnapshot(row pgx.CollectableRow) (s GroupSnapshot, err error) {
	return s, row.Scan(&s.ID, &s.Status, &s.Generation, &s.RequestID)
}

// GroupSnapshotAgain gives such a group snapshot a new job. Conflict when it was
// moved meanwhile.
func (t *Tx) GroupSnapshotAgain(ctx context.Context, s GroupSnapshot) error {
	if _, err := t.MoveGroupSnapshotAt(ctx, s, GroupSnapshotJobLost, "", nil); err != nil {
		return err
	}
	if s.Status == GroupCreating {
		return t.Enqueue(ctx, GroupSnapshotCreateArgs{GroupSnapshotID: s.ID, Request: s.RequestID})
	}
	return t.Enqueue(ctx, GroupSnapshotDeleteArgs{GroupSnapshotID: s.ID, Request: s.RequestID})
}

// InterruptedGroupSnapshotDeletes is InterruptedGroupDeletes for group snapshots.
func (d *DB) InterruptedGroupSnapshotDeletes(ctx context.Context, reason string, limit int) ([]GroupSnapshot, error) {
	rows, err := d.pool.Query(ctx, `SELECT g.id, g.status, g.generation, g.request_id FROM group_snapshots g
		JOIN group_snapshot_history h ON h.group_snapshot_id = g.id AND h.generation = g.generation AND h.reason = $1
		WHERE g.deleted_at IS NULL AND g.status = 'error_deleting' AND NOT EXISTS (SELECT 1 FROM snapshots s
			WHERE s.group_snapshot_id = g.id AND s.deleted_at IS NULL AND s.group_snapshot_id IS NOT NULL AND s.status <> 'deleting') LIMIT $2`, reason, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLostGroupSnapshot)
}

// ResumeGroupSnapshotDelete goes on with such a deletion. Conflict when it was
// moved meanwhile.
func (t *Tx) ResumeGroupSnapshotDelete(ctx context.Context, s GroupSnapshot) error {
	if _, err := t.MoveGroupSnapshotAt(ctx, s, GroupSnapshotDeleteResume, "", nil); err != nil {
		return err
	}
	return t.Enqueue(ctx, GroupSnapshotDeleteArgs{GroupSnapshotID: s.ID, Request: s.RequestID})
}
