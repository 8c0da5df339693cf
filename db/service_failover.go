package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// The replication statuses of a backend, Cinder's. None of ours replicates: one
// that has failed over is lost, and what was on it is told to be.
const (
	ReplicationDisabled    = "disabled"
	ReplicationFailingOver = "failing-over"
	ReplicationFailedOver  = "failed-over"
)

// notCapable is the replication status of volumes that a failover has put in error.
const notCapable = "not-capable"

// The moves of what is on a backend that is lost, or back.
var (
	// FailOver: nobody can reach it.
	FailOver = Move{"fail over", nil, "error"}
	// FailBack: it is there again.
	FailBack = Move{"fail back", []string{"error"}, Settled}
	// SnapshotFailOver and SnapshotFailBack are the same of snapshots.
	SnapshotFailOver = Move{"fail over", []string{SnapshotAvailable}, SnapshotError}
	SnapshotFailBack = Move{"fail back", []string{SnapshotError}, SnapshotAvailable}
)

// ServiceFailoverArgs asks that all that is on a backend be told to be lost, or to
// be back.
type ServiceFailoverArgs struct {
	ServiceID string `json:"service_id"`
	Back      bool   `json:"back,omitempty"`
	Request   string `json:"request"`
}

// Kind is River's name of the job.
func (ServiceFailoverArgs) Kind() string { return "service_failover" }

// Lost tells whether a backend has failed over: its node is not waited for.
func (s Service) Lost() bool {
	return s.ReplicationStatus == ReplicationFailedOver || s.ReplicationStatus == ReplicationFailingOver
}

// BeginFailover declares the backends of a host (a node, or host@backend) lost that
// have been silent for longer than downTime, or, with back, there again that have
// not; the last word counts, also while all that is there is still being told of an
// earlier one. Nothing is placed upon a lost one. Invalid, in Cinder's words, when
// there is none such.
func (t *Tx) BeginFailover(ctx context.Context, host string, downTime time.Duration, back bool, request string) error {
	const hosts = "daemon = 'cinder-volume' AND (host = $1 OR starts_with(host, $1 || '@'))"
	const lost = "(replication_status = 'failed-over' OR replication_status = 'failing-over' AND NOT failing_back)"
	is, what := "heartbeat_at <= now() - $2::interval AND NOT "+lost, "enabled or failed-over and must be up to failover. Its storage is not replicated, and its node answers: only what is on a node that is down can be declared lost"
	if back {
		is, what = "heartbeat_at > now() - $2::interval AND "+lost, "failed-over and must be up to fail back"
	}
	changed, err := all(ctx, t, pgx.RowTo[string], `UPDATE services SET replication_status = 'failing-over', failing_back = $3, updated_at = now(),
			disabled = true, disabled_reason = 'failed-over'
		WHERE `+hosts+` AND `+is+` RETURNING id::text`, host, downTime, back)
	if err != nil {
		return err
	}
	if len(changed) == 0 {
		return fault.New(fault.Invalid, "Invalid input received: No service could be changed: replication_status in %s must be %s.", host, what)
	}
	for _, id := range changed {
		if err := t.Enqueue(ctx, ServiceFailoverArgs{ServiceID: id, Back: back, Request: request}); err != nil {
			return err
		}
	}
	return nil
}

// ToFailOver gives volumes of a backend that are not told to be lost yet, or, with
// back, are told so still; at most limit. What is being deleted goes on.
func (d *DB) ToFailOver(ctx context.Context, serviceID string, back bool, limit int) ([]string, error) {
	which := "v.status NOT IN ('error', 'deleting', 'error_deleting', 'managing', 'error_managing', 'unmanaging')"
	if back {
		which = "v.status = 'error' AND v.replication_status = 'not-capable'"
	}
	return d.idsOn(ctx, "SELECT v.id::text FROM volumes v JOIN pools p ON p.id = v.pool_id WHERE p.service_id = $1 AND v.deleted_at IS NULL AND v.user_id >= '' AND "+which+" LIMIT $2", serviceID, limit)
}

// SnapshotsToFailOver is the same of snapshots.
func (d *DB) SnapshotsToFailOver(ctx context.Context, serviceID string, back bool, limit int) ([]string, error) {
	which := "s.status = 'available'"
	if back {
		which = `s.status = 'error' AND EXISTS (SELECT 1 FROM snapshot_history h
			WHERE h.snapshot_id = s.id AND h.generation = s.generation AND h.reason = 'fail over')`
	}
	return d.idsOn(ctx, "SELECT s.id::text FROM snapshots s JOIN pools p ON p.id = s.pool_id WHERE p.service_id = $1 AND s.deleted_at IS NULL AND "+which+" LIMIT $2", serviceID, limit)
}

func (d *DB) idsOn(ctx context.Context, sql string, args ...any) ([]string, error) {
	rows, err := d.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// unfinished are statuses in which what is on the node is not a whole volume.
const unfinished = `('creating', 'downloading', 'reverting', 'restoring-backup', 'error_restoring')`

// FailOverVolume puts a volume in error whose node is lost, and ends what was under
// way with it. One that was whole is noted, to be had back.
func (t *Tx) FailOverVolume(ctx context.Context, id string) (Volume, error) {
	t.later("UPDATE volumes SET replication_status = $2 WHERE id = $1 AND status NOT IN "+unfinished, id, notCapable)
	moved, err := t.MoveVolume(ctx, id, FailOver, "its storage node is lost", nil)
	if err != nil {
		return moved, err
	}
	swaps, err := t.swaps(ctx, id)
	if err == nil && !swaps { // else its server ends that, and may have saved the volume
		err = t.DropMigration(ctx, id)
	}
	if err != nil {
		return moved, err
	}
	return moved, t.Abandon(ctx, moved)
}

// FailBackVolume gives such a volume back the status that its attachments mean.
func (t *Tx) FailBackVolume(ctx context.Context, id string) error {
	_, err := t.MoveVolume(ctx, id, FailBack, "its storage node is back", map[string]any{"replication_status": nil})
	return err
}

// Fails tells whether a backend is still on its way to being lost, or back; it stays
// so until the transaction ends.
func (t *Tx) Fails(ctx context.Context, serviceID string, back bool) (bool, error) {
	found, err := all(ctx, t, pgx.RowTo[int], "SELECT 1 FROM services WHERE id = $1 AND replication_status = 'failing-over' AND failing_back = $2 FOR SHARE", serviceID, back)
	return len(found) > 0, err
}

// EndFailover notes that all that is on a backend has been told about. Nothing
// happens when it goes the other way meanwhile.
func (t *Tx) EndFailover(ctx context.Context, serviceID string, back bool) error {
	if !back {
		t.later("UPDATE services SET replication_status = 'failed-over' WHERE id = $1 AND replication_status = 'failing-over' AND NOT failing_back", serviceID)
		return nil
	}
	t.later(`UPDATE services SET replication_status = 'disabled', failing_back = false, disabled = frozen, disabled_reason = CASE WHEN frozen THEN 'frozen' END
		WHERE id = $1 AND replication_status = 'failing-over' AND failing_back`, serviceID)
	return nil
}

// LostFailovers gives what would tell of backends that are on their way and have no
// job, at most limit of them.
func (d *DB) LostFailovers(ctx context.Context, limit int) ([]ServiceFailoverArgs, error) {
	rows, err := d.pool.Query(ctx, `SELECT s.id::text, s.failing_back, COALESCE((SELECT j.args->>'request' FROM river_job j
			WHERE j.kind = 'service_failover' AND j.args @> jsonb_build_object('service_id', s.id) ORDER BY j.id DESC LIMIT 1), '')
		FROM services s WHERE s.replication_status = 'failing-over' AND `+jobless("'service_failover'", "service_id", "s.id")+" LIMIT $1", limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[ServiceFailoverArgs])
}

// FailoverAgain gives such a backend a new job.
func (t *Tx) FailoverAgain(ctx context.Context, args ServiceFailoverArgs) error {
	return t.Enqueue(ctx, args)
}
