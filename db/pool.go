package db

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// Pool is a row of pools: where volumes can be placed.
type Pool struct {
	ID                       string
	ServiceID                string
	Name                     string // host@backend#pool
	AvailabilityZone         string
	TotalBytes               int64
	FreeBytes                int64 // physical, as the node said
	OtherBytes               int64 // what the node holds that is not a live volume or snapshot
	AllocatedBytes           int64 // what we have placed there, claims included
	VolumeCount              int
	ClaimsSincePoll          int
	Thin                     bool
	MaxOverSubscriptionRatio float64
	ReservedPercentage       int
	StorageProtocol          string
	Capabilities             StringMap
	IOBusyShare              float64
	IOOperationsPerSecond    float64
	IOBytesPerSecond         float64
	IOMeanWaitMS             float64
	PolledAt                 time.Time
	CreatedAt                time.Time
}

// PoolService is a pool with the service that answers for it.
type PoolService struct {
	Pool
	Service Service
}

// Pools lists all pools with their services, by name.
func (d *DB) Pools(ctx context.Context) ([]PoolService, error) {
	rows, err := d.pool.Query(ctx, poolServiceSQL+" ORDER BY p.name")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanPoolService)
}

// poolServiceSQL reads what scanPoolService wants, in its order.
const poolServiceSQL = `SELECT p.id, p.service_id, p.name, p.availability_zone, p.total_bytes, p.free_bytes, p.other_bytes,
		p.allocated_bytes, p.volume_count, p.claims_since_poll, p.thin, p.max_over_subscription_ratio,
		p.reserved_percentage, p.storage_protocol, p.capabilities, p.io_busy_share, p.io_operations_per_second,
		p.io_bytes_per_second, p.io_mean_wait_ms, p.polled_at, p.created_at,
		s.id, s.host, s.daemon, s.availability_zone, s.disabled, s.disabled_reason, s.frozen, s.replication_status,
		s.active_backend_id, s.endpoint, s.node_uuid, s.version, s.heartbeat_at, s.created_at, s.updated_at
	FROM pools p JOIN services s ON s.id = p.service_id`

func scanPoolService(row pgx.CollectableRow) (p PoolService, err error) {
	s := &p.Service
	return p, row.Scan(&p.ID, &p.ServiceID, &p.Name, &p.AvailabilityZone, &p.TotalBytes, &p.FreeBytes, &p.OtherBytes,
		&p.AllocatedBytes, &p.VolumeCount, &p.ClaimsSincePoll, &p.Thin, &p.MaxOverSubscriptionRatio,
		&p.ReservedPercentage, &p.StorageProtocol, &p.Capabilities, &p.IOBusyShare, &p.IOOperationsPerSecond,
		&p.IOBytesPerSecond, &p.IOMeanWaitMS, &p.PolledAt, &p.CreatedAt,
		&s.ID, &s.Host, &s.Daemon, &s.AvailabilityZone, &s.Disabled, &s.DisabledReason, &s.Frozen, &s.ReplicationStatus,
		&s.ActiveBackendID, &s.Endpoint, &s.NodeUUID, &s.Version, &s.HeartbeatAt, &s.CreatedAt, &s.UpdatedAt)
}

// PoolOf gives the pool with that id, with its service: the node to call. By
// hand, since nearly every job and every attachment asks for it.
func (d *DB) PoolOf(ctx context.Context, id string) (PoolService, error) {
	rows, err := d.pool.Query(ctx, poolServiceSQL+" WHERE p.id = $1", id)
	if err != nil {
		return PoolService{}, err
	}
	pool, err := pgx.CollectExactlyOneRow(rows, scanPoolService)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fault.New(fault.NotFound, "Pool %s could not be found.", id)
	}
	return pool, err
}

// RecordPoll writes what a node said of one of its pools, and makes the row the
// first time. What the database counts itself (allocated_bytes, volume_count)
// stays. May be repeated.
func (d *DB) RecordPoll(ctx context.Context, p Pool) error {
	_, err := d.pool.Exec(ctx, `INSERT INTO pools (id, service_id, name, availability_zone, total_bytes, free_bytes,
			other_bytes, thin, max_over_subscription_ratio, reserved_percentage, storage_protocol, capabilities,
			io_busy_share, io_operations_per_second, io_bytes_per_second, io_mean_wait_ms)
		VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (name) DO UPDATE SET service_id = EXCLUDED.service_id,
			availability_zone = EXCLUDED.availability_zone, total_bytes = EXCLUDED.total_bytes,
			free_bytes = EXCLUDED.free_bytes, other_bytes = EXCLUDED.other_bytes, thin = EXCLUDED.thin,
			max_over_subscription_ratio = EXCLUDED.max_over_subscription_ratio,
			reserved_percentage = EXCLUDED.reserved_percentage, storage_protocol = EXCLUDED.storage_protocol,
			capabilities = EXCLUDED.capabilities, io_busy_share = EXCLUDED.io_busy_share,
			io_operations_per_second = EXCLUDED.io_operations_per_second,
			io_bytes_per_second = EXCLUDED.io_bytes_per_second, io_mean_wait_ms = EXCLUDED.io_mean_wait_ms,
			claims_since_poll = 0, polled_at = now()`,
		p.ServiceID, p.Name, p.AvailabilityZone, p.TotalBytes, p.FreeBytes, p.OtherBytes, p.Thin,
		p.MaxOverSubscriptionRatio, p.ReservedPercentage, p.StorageProtocol, p.Capabilities,
		p.IOBusyShare, p.IOOperationsPerSecond, p.IOBytesPerSecond, p.IOMeanWaitMS)
	return err
}

// fitsSQL is the rule of placement's CapacityFilter (scheduler/placement) once
// more, so that the promise and the check are one statement. @bytes is what is
// asked for, @thick whether all of it must be there.
const fitsSQL = `CASE WHEN thin AND NOT @thick::boolean THEN
		p.other_bytes + p.allocated_bytes + @bytes <= p.total_bytes * p.max_over_subscription_ratio
		AND @bytes <= (p.free_bytes - p.total_bytes / 100.0 * p.reserved_percentage) * p.max_over_subscription_ratio
	ELSE
		p.other_bytes + p.allocated_bytes + @bytes <= p.total_bytes - p.total_bytes / 100.0 * p.reserved_percentage
		AND @bytes <= p.free_bytes - p.total_bytes / 100.0 * p.reserved_percentage
	END`

// takesSQL is what placement's ServiceFilter asks of a pool's service, but for its
// being up: that nobody has taken it out of use since the pools were read.
const takesSQL = `NOT (s.disabled OR s.frozen OR s.replication_status IN ('` + ReplicationFailingOver + `', '` + ReplicationFailedOver + `'))`

// claimSQL locks the volume, then takes the room, then notes it: whoever waits
// for the lock finds the volume placed, and takes nothing.
//
// Its commit does not wait for the disk, so that the claims of a pool do not
// wait for each other's. A crash of the database may then forget a claim of its
// last moments, but never one whose volume became available: that was written
// later, and waited. A forgotten one leaves the volume without a place, as it
// was before, and its job is run again.
//
// The status is looked at as an expression, so that the plan cannot rest on the
// index of volumes in such a status, which is full of those that no longer are.
const claimSQL = `WITH lazily AS MATERIALIZED (
		SELECT set_config('synchronous_commit', 'off', true)
	), mine AS (
		SELECT v.id FROM lazily, volumes v WHERE v.id = @volume AND v.deleted_at IS NULL
			AND v.status || '' IN ('creating', 'downloading') AND v.pool_id IS NULL FOR UPDATE OF v
	), room AS (
		UPDATE pools p SET allocated_bytes = p.allocated_bytes + @bytes,
			volume_count = p.volume_count + 1, claims_since_poll = p.claims_since_poll + 1
		FROM mine, services s WHERE p.id = @pool AND s.id = p.service_id
			AND ` + takesSQL + ` AND ` + fitsSQL + ` RETURNING p.*
	)
	UPDATE volumes v SET pool_id = room.id, host = room.name, service_id = room.service_id,
		claimed_bytes = @bytes, availability_zone = room.availability_zone
	FROM room WHERE v.id = @volume`

// Claim promises bytes of a pool to a volume that has no pool yet: one conditional
// statement, so that many schedulers never promise the same bytes twice. false when the
// pool has no longer room, or its service was disabled, frozen or declared lost
// meanwhile, or the volume has a pool or is no longer being created. thick asks that its
// bytes can be set aside in full. It may be repeated: a volume that has this very pool
// already gives true and counts once.
func (d *DB) Claim(ctx context.Context, volumeID, poolID string, bytes int64, thick bool) (bool, error) {
	named := pgx.NamedArgs{"volume": volumeID, "pool": poolID, "bytes": bytes, "thick": thick}
	tag, err := d.pool.Exec(ctx, claimSQL, named)
	if err != nil || tag.RowsAffected() == 1 {
		return err == nil, err
	}
	var has bool
	err = d.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM volumes
		WHERE id = @volume AND pool_id = @pool AND deleted_at IS NULL)`, named).Scan(&has)
	return has, err
}

// ClaimGrowth promises a volume that is being extended further bytes of its own
// pool, until its claim is toBytes. false when the pool has no room; the
// transaction must then be given up. May be repeated: it counts once.
func (t *Tx) ClaimGrowth(ctx context.Context, volumeID string, toBytes int64) (bool, error) {
	type growing struct {
		Bytes int64
		Thick bool
	}
	growth, err := all(ctx, t, pgx.RowToStructByPos[growing], `UPDATE volumes v SET claimed_bytes = $2
		FROM (SELECT id, claimed_bytes FROM volumes WHERE id = $1 FOR UPDATE) AS was
		WHERE v.id = was.id AND v.status = 'extending' AND was.claimed_bytes < $2
		RETURNING $2 - was.claimed_bytes, EXISTS (SELECT FROM volume_types t
			WHERE t.id = v.volume_type_id AND lower(t.extra_specs ->> 'provisioning:type') = 'thick')`, volumeID, toBytes)
	if err != nil || len(growth) == 0 {
		return err == nil, err
	}
	met, err := t.exec(ctx, `UPDATE pools p SET allocated_bytes = p.allocated_bytes + @bytes
		FROM volumes v WHERE v.id = @volume AND p.id = v.pool_id AND `+fitsSQL,
		pgx.NamedArgs{"volume": volumeID, "bytes": growth[0].Bytes, "thick": growth[0].Thick})
	return met == 1, err
}

// Unclaim gives back bytes of a volume's claim: all of them (the volume then
// has no pool) when keep is 0, or what is beyond keep. May be repeated.
func (t *Tx) Unclaim(ctx context.Context, volumeID string, keep int64) error {
	t.later(`UPDATE pools p SET allocated_bytes = p.allocated_bytes - (v.claimed_bytes - $2),
			volume_count = p.volume_count - CASE WHEN $2::bigint = 0 THEN 1 ELSE 0 END
		FROM volumes v WHERE v.id = $1 AND p.id = v.pool_id AND (v.claimed_bytes > $2 OR $2 = 0)`, volumeID, keep)
	if keep == 0 {
		t.later("UPDATE volumes SET pool_id = NULL, host = NULL, service_id = NULL, claimed_bytes = 0 WHERE id = $1", volumeID)
	} else {
		t.later("UPDATE volumes SET claimed_bytes = $2 WHERE id = $1 AND claimed_bytes > $2", volumeID, keep)
	}
	return nil
}
