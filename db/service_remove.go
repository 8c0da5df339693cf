package db

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// livesOn is what a service may have that is not over, by what it is called; $1 is the
// service's id.
var livesOn = []struct{ sql, what string }{
	{"SELECT count(*) FROM volumes WHERE deleted_at IS NULL AND " + inItsPools, "volumes"},
	{"SELECT count(*) FROM snapshots WHERE deleted_at IS NULL AND " + inItsPools, "snapshots"},
	{"SELECT count(*) FROM groups WHERE deleted_at IS NULL AND " + inItsPools, "groups"},
	{"SELECT count(*) FROM volume_migrations WHERE " + inItsPools, "volumes on their way to it"},
	{"SELECT count(*) FROM backups b JOIN services s ON s.id = $1 AND s.daemon = '" + DaemonBackup + `' AND s.host = b.host
		WHERE b.deleted_at IS NULL AND b.status IN ('creating', 'restoring', 'deleting')`, "backups under way"},
}

const inItsPools = "pool_id IN (SELECT id FROM pools WHERE service_id = $1)"

// RemoveService takes a service away for good, with its pools: of a storage node that
// is retired, or a scheduler that has another host name now. NotFound when there is
// none of that daemon and host (host@backend for a backend). Conflict while it was
// heard of within downTime, for it would be there again with its next sign of life, and
// while anything is on it. What was deleted keeps its row, without a pool.
func (d *DB) RemoveService(ctx context.Context, daemon, host string, downTime time.Duration) error {
	return d.Tx(ctx, func(t *Tx) error {
		missing := fault.New(fault.NotFound, "There is no %s on host %s.", daemon, host)
		found, err := first(ctx, t, pgx.RowToStructByPos[lastSeen], missing,
			"SELECT id::text, heartbeat_at > now() - $3::interval FROM services WHERE daemon = $1 AND host = $2 FOR UPDATE", daemon, host, downTime)
		if err != nil {
			return err
		}
		if found.Up {
			return fault.New(fault.Conflict, "%s on host %s is up: stop it first, and wait until it counts as down.", daemon, host)
		}
		return t.removeService(ctx, found.ID, host)
	})
}

type lastSeen struct {
	ID string
	Up bool
}

func (t *Tx) removeService(ctx context.Context, id, host string) error {
	// Who is about to claim room waits, and finds no pool.
	if _, err := t.exec(ctx, "SELECT 1 FROM pools WHERE service_id = $1 FOR UPDATE", id); err != nil {
		return err
	}
	var there []string
	for _, l := range livesOn {
		count, err := first(ctx, t, pgx.RowTo[int], nil, l.sql, id)
		if err != nil {
			return err
		}
		if count > 0 {
			there = append(there, fmt.Sprintf("%s (%d)", l.what, count))
		}
	}
	if len(there) > 0 {
		return fault.New(fault.Conflict, "On host %s there are still %s.", host, strings.Join(there, ", "))
	}
	for _, table := range []string{"volumes", "snapshots", "groups"} {
		t.later("UPDATE "+table+" SET pool_id = NULL WHERE deleted_at IS NOT NULL AND "+inItsPools, id)
	}
	t.later("DELETE FROM services WHERE id = $1", id)
	return nil
}
