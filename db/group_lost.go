package db

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// LostGroup is a group in a moving status that no job will move.
type LostGroup struct {
	Group Group
	last  []byte // arguments of the last job there was for it, nil for none
}

// lostGroupsSQL finds them, as lostJobsSQL does volumes. A status that an
// administrator has set is left alone.
var lostGroupsSQL = `SELECT g.id, g.status, g.generation, g.request_id,
		(SELECT j.args FROM river_job j WHERE j.kind = moving.kind
			AND j.args @> jsonb_build_object('group_id', g.id) ORDER BY j.id DESC LIMIT 1)
	FROM groups g JOIN (VALUES ('creating', 'group_create'), ('deleting', 'group_delete')) AS moving (status, kind) USING (status)
	JOIN group_history h ON h.group_id = g.id AND h.generation = g.generation AND h.reason <> '` + ByAdministrator + `'
	WHERE g.deleted_at IS NULL AND g.status IN ('creating', 'deleting')
		AND COALESCE(g.updated_at, g.created_at) <= now() - $1::interval
		AND ` + jobless("moving.kind", "group_id", "g.id") + `
	ORDER BY g.updated_at LIMIT $2`

// LostGroups gives groups that have been in a moving status for that long and
// have no job, at most limit of them.
func (d *DB) LostGroups(ctx context.Context, quiet time.Duration, limit int) ([]LostGroup, error) {
	rows, err := d.pool.Query(ctx, lostGroupsSQL, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l LostGroup, err error) {
		return l, row.Scan(&l.Group.ID, &l.Group.Status, &l.Group.Generation, &l.Group.RequestID, &l.last)
	})
}

// GroupAgain gives such a group a new job, with the arguments of the lost one as
// far as they are known. Conflict when it was moved meanwhile.
func (t *Tx) GroupAgain(ctx context.Context, l LostGroup) error {
	if _, err := t.MoveGroupAt(ctx, l.Group, GroupJobLost, "", nil); err != nil {
		return err
	}
	args, err := l.job()
	if err != nil {
		return err
	}
	return t.Enqueue(ctx, args)
}

func (l LostGroup) job() (river.JobArgs, error) {
	if l.Group.Status == GroupDeleting {
		return GroupDeleteArgs{GroupID: l.Group.ID, Request: l.Group.RequestID}, nil
	}
	args := GroupCreateArgs{GroupID: l.Group.ID, Request: l.Group.RequestID}
	if l.last == nil {
		return args, nil
	}
	return args, json.Unmarshal(l.last, &args)
}

// InterruptedGroupDeletes gives groups in error_deleting whose last history entry
// has that reason, and of whose volumes none has failed any more: they are gone,
// or being deleted again. At most limit.
func (d *DB) InterruptedGroupDeletes(ctx context.Context, reason string, limit int) ([]Group, error) {
	rows, err := d.pool.Query(ctx, `SELECT g.id, g.generation, g.request_id FROM groups g
		JOIN group_history h ON h.group_id = g.id AND h.generation = g.generation AND h.reason = $1
		WHERE g.deleted_at IS NULL AND g.status = 'error_deleting' AND NOT EXISTS (SELECT 1 FROM volumes v
			WHERE v.group_id = g.id AND v.deleted_at IS NULL AND v.group_id IS NOT NULL AND v.status <> 'deleting') LIMIT $2`, reason, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (g Group, err error) {
		return g, row.Scan(&g.ID, &g.Generation, &g.RequestID)
	})
}

// ResumeGroupDelete goes on with such a deletion. Conflict when the group was
// moved meanwhile.
func (t *Tx) ResumeGroupDelete(ctx context.Context, g Group) error {
	if _, err := t.MoveGroupAt(ctx, g, GroupDeleteResume, "", nil); err != nil {
		return err
	}
	return t.Enqueue(ctx, GroupDeleteArgs{GroupID: g.ID, Request: g.RequestID})
}
