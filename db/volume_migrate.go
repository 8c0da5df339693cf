package db

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"clinker/internal/fault"
)

// The moves of a volume on its way to another pool. While nobody has locked it,
// its status is as ever: whoever changes the volume meanwhile raises its
// generation, and the migration, which is of the one it began with, yields.
var (
	// MigrateBegin leaves a free or attached volume as it is.
	MigrateBegin = Move{"migrate", []string{"available", "in-use"}, Same}
	// MigrateBeginLocked keeps everybody else from a free volume.
	MigrateBeginLocked = Move{"migrate", []string{"available"}, "maintenance"}
	// MigrateByRetype: its pool does not serve the type that it is to have.
	MigrateByRetype = Move{"migrate to a pool of its new type", []string{"retyping"}, Same}
	// MigrateStep is from one step to the next.
	MigrateStep = Move{"migrate", migrateFrom, Same}
	// MigrateDone: it is in its new pool.
	MigrateDone = Move{"finish migrating", migrateFrom, Settled}
	// MigrateFailed: it stays in the pool it is in.
	MigrateFailed = Move{"fail migrating", migrateFrom, Settled}
)

var migrateFrom = []string{"available", "in-use", "maintenance", "retyping"}

// The migration statuses, Cinder's.
const (
	MigrationStarting   = "starting"
	MigrationMigrating  = "migrating"
	MigrationCompleting = "completing"
	MigrationSuccess    = "success"
	MigrationError      = "error"
)

// VolumeMigrateArgs asks that a volume with a Migration come to its new pool.
type VolumeMigrateArgs struct {
	VolumeID string `json:"volume_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeMigrateArgs) Kind() string { return "volume_migrate" }

// Migration is a row of volume_migrations: a volume on its way to another pool.
type Migration struct {
	VolumeID     string
	Wanted       string  // host@backend or host@backend#pool; "" for any that serves its type
	PoolID       *string // where it goes, from the claim
	ClaimedBytes int64
	Generation   int64 // of the volume's row, if nobody else has changed it
	Cleared      bool  // nothing that is left of it lies in the new pool any more
	Token        Token
	NewVolumeID  *string // of one in use: what Nova copies it onto
	ServerID     *string // whose Nova that is
	AskedAt      *time.Time
	Asked        int // how often Nova was asked
}

// Token is what a volume's new node shows its old one; it prints as stars.
type Token string

// String hides the token from logs and error texts.
func (Token) String() string { return "***" }

// GoString hides the token from %#v.
func (Token) GoString() string { return `"***"` }

// newToken makes a token at random.
func newToken() Token {
	var random [32]byte
	_, _ = rand.Read(random[:])
	return Token(hex.EncodeToString(random[:]))
}

// MigrationOf gives a volume's migration; NotFound when it has none.
func (d *DB) MigrationOf(ctx context.Context, volumeID string) (m Migration, err error) {
	err = d.pool.QueryRow(ctx, `SELECT volume_id, wanted, pool_id, claimed_bytes, generation, cleared, token, new_volume_id, server_id, asked_at, asked
		FROM volume_migrations WHERE volume_id = $1`, volumeID).
		Scan(&m.VolumeID, &m.Wanted, &m.PoolID, &m.ClaimedBytes, &m.Generation, &m.Cleared, &m.Token, &m.NewVolumeID, &m.ServerID, &m.AskedAt, &m.Asked)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fault.New(fault.NotFound, "Volume %s is not being migrated.", volumeID)
	}
	return m, err
}

// BeginMigrate starts to move a volume to the pool or backend wanted. lock keeps
// a free one from everybody else meanwhile. Conflict, with why, when it cannot be
// moved as it is.
func (t *Tx) BeginMigrate(ctx context.Context, id, wanted string, lock bool, request string) error {
	v, err := t.LockVolume(ctx, id)
	if err == nil {
		err = t.mayMigrate(ctx, v, wanted)
	}
	if err != nil {
		return err
	}
	move := MigrateBegin
	if lock && v.Status == "available" {
		move = MigrateBeginLocked
	}
	moved, err := t.MoveVolume(ctx, id, move, "", map[string]any{"migration_status": MigrationStarting})
	if err != nil {
		return err
	}
	return t.insertMigration(ctx, moved, wanted, request)
}

// MigrateForRetype is BeginMigrate for a volume in status retyping that is to
// come to any pool that serves its new type. Conflict when v is not the row as it
// is now.
func (t *Tx) MigrateForRetype(ctx context.Context, v Volume, request string) error {
	moved, err := t.MoveVolumeAt(ctx, v, MigrateByRetype, "", map[string]any{"migration_status": MigrationStarting})
	if err != nil {
		return err
	}
	return t.insertMigration(ctx, moved, "", request)
}

func (t *Tx) insertMigration(ctx context.Context, v Volume, wanted, request string) error {
	t.later(`INSERT INTO volume_migrations (volume_id, wanted, generation, token, request_id) VALUES ($1, $2, $3, $4, $5)`,
		v.ID, wanted, v.Generation, string(newToken()), request)
	return t.Enqueue(ctx, VolumeMigrateArgs{VolumeID: v.ID, Request: request})
}

// mayMigrate says why a volume, which this transaction has locked, cannot be moved.
func (t *Tx) mayMigrate(ctx context.Context, v Volume, wanted string) error {
	refused := func(why string) error { return fault.New(fault.Conflict, "%s", why) }
	busy, err := first(ctx, t, pgx.RowTo[bool], nil, "SELECT EXISTS (SELECT 1 FROM volume_migrations WHERE volume_id = $1)", v.ID)
	if err != nil {
		return err
	}
	why, err := t.MovesNot(ctx, v)
	switch {
	case err != nil:
		return err
	case v.Status != "available" && v.Status != "in-use":
		return refused("its status is " + v.Status)
	case busy || migrating(v):
		return refused("it is being migrated")
	case v.PoolID == nil || v.Host == nil:
		return refused("it has no place on a storage node")
	case wanted == *v.Host, wanted == hostOf(*v.Host):
		return refused("it is there already")
	case why != "":
		return refused(why)
	}
	return nil
}

// MovesNot says why a volume cannot be moved whatever the destination, "" when it
// can.
func (t *Tx) MovesNot(ctx context.Context, v Volume) (why string, err error) {
	has, err := t.HasSnapshots(ctx, v.ID)
	replicated := v.ReplicationStatus != nil && *v.ReplicationStatus != "disabled" && *v.ReplicationStatus != "not-capable"
	switch {
	case err != nil:
		return "", err
	case has:
		return "it has snapshots", nil
	case replicated:
		return "it is replicated", nil
	case v.GroupID != nil:
		return "it is part of a group", nil
	}
	return "", nil
}

// step moves the row of a migration's volume from one step to the next, and the
// migration with it. Conflict when v is not the row as it is now.
func (t *Tx) step(ctx context.Context, v Volume, reason, set string, args ...any) (Volume, error) {
	moved, err := t.MoveVolumeAt(ctx, v, MigrateStep, reason, map[string]any{"migration_status": MigrationMigrating})
	if err == nil {
		t.expect(migratesNoMore(v.ID), "UPDATE volume_migrations SET generation = $2"+set+" WHERE volume_id = $1", append([]any{v.ID, moved.Generation}, args...)...)
	}
	return moved, err
}

func migratesNoMore(volumeID string) error {
	return fault.New(fault.Conflict, "Volume %s is not being migrated any more.", volumeID)
}

// ClaimMigration promises a pool's room to a volume that is to come there, thick as for
// Claim. false when there is none, or its service takes no volumes any more; the
// transaction must then be given up. Conflict when v is not the row as it is now.
func (t *Tx) ClaimMigration(ctx context.Context, v Volume, poolID string, bytes int64, thick bool) (bool, error) {
	if _, err := t.step(ctx, v, "a pool is chosen", ""); err != nil {
		return false, err
	}
	met, err := t.exec(ctx, `WITH mine AS (
			SELECT volume_id FROM volume_migrations WHERE volume_id = @volume AND pool_id IS NULL FOR UPDATE
		), room AS (
			UPDATE pools p SET allocated_bytes = p.allocated_bytes + @bytes, volume_count = p.volume_count + 1,
				claims_since_poll = p.claims_since_poll + 1
			FROM mine, services s WHERE p.id = @pool AND s.id = p.service_id AND `+takesSQL+` AND `+fitsSQL+` RETURNING p.id
		)
		UPDATE volume_migrations m SET pool_id = room.id, claimed_bytes = @bytes, cleared = false
		FROM room WHERE m.volume_id = @volume`, pgx.NamedArgs{"volume": v.ID, "pool": poolID, "bytes": bytes, "thick": thick})
	return met == 1, err
}

// ClearedMigration notes that the new pool holds nothing that an earlier try has
// left of the volume. What comes there now has a generation of its own.
func (t *Tx) ClearedMigration(ctx context.Context, v Volume) error {
	_, err := t.step(ctx, v, "its new pool is ready", ", cleared = true")
	return err
}

// unclaimMigrationSQL gives back what a migration was promised.
const unclaimMigrationSQL = `UPDATE pools p SET allocated_bytes = p.allocated_bytes - m.claimed_bytes, volume_count = p.volume_count - 1
	FROM volume_migrations m WHERE m.volume_id = $1 AND p.id = m.pool_id`

// LeaveMigrationPool notes that a pool did not serve, and has another be chosen.
func (t *Tx) LeaveMigrationPool(ctx context.Context, v Volume, reason string) error {
	moved, err := t.MoveVolumeAt(ctx, v, MigrateStep, reason, nil)
	if err == nil {
		t.later(unclaimMigrationSQL, v.ID)
		t.expect(migratesNoMore(v.ID), "UPDATE volume_migrations SET generation = $2, pool_id = NULL, claimed_bytes = 0, cleared = false WHERE volume_id = $1", v.ID, moved.Generation)
	}
	return err
}

// FinishMigrate gives the volume its new pool, and gives back its place in the
// old one, all at once; to is the type that it gets with it, nil when it keeps its
// own. It gives the row as it is then. Conflict when v is not the row as it is
// now; then nothing must be written.
func (t *Tx) FinishMigrate(ctx context.Context, v Volume, m Migration, to *Retype) (Volume, error) {
	set := map[string]any{
		"migration_status": MigrationSuccess, "pool_id": *m.PoolID, "claimed_bytes": m.ClaimedBytes,
		"host":              gorm.Expr("(SELECT name FROM pools WHERE id = ?)", *m.PoolID),
		"service_id":        gorm.Expr("(SELECT service_id FROM pools WHERE id = ?)", *m.PoolID),
		"availability_zone": gorm.Expr("(SELECT availability_zone FROM pools WHERE id = ?)", *m.PoolID),
	}
	if to != nil {
		set["volume_type_id"], set["multiattach"] = to.VolumeTypeID, to.ExtraSpecs.IsTrue("multiattach")
	}
	moved, err := t.MoveVolumeAt(ctx, v, MigrateDone, "", set)
	if err != nil {
		return v, err
	}
	met, err := t.exec(ctx, "DELETE FROM volume_migrations WHERE volume_id = $1 AND pool_id = $2", v.ID, *m.PoolID)
	if err == nil && met == 0 {
		err = migratesNoMore(v.ID)
	}
	if err != nil {
		return v, err
	}
	t.later("UPDATE pools SET allocated_bytes = allocated_bytes - $2, volume_count = volume_count - 1 WHERE id = $1", *v.PoolID, v.ClaimedBytes)
	if to != nil {
		err = t.exchangeType(ctx, v, *to)
	}
	return moved, err
}

// FailMigrate leaves the volume where it is, and gives back what it was promised
// elsewhere. It keeps its type. Conflict as for FinishMigrate.
func (t *Tx) FailMigrate(ctx context.Context, v Volume, reason string) error {
	if _, err := t.MoveVolumeAt(ctx, v, MigrateFailed, reason, map[string]any{"migration_status": MigrationError}); err != nil {
		return err
	}
	if err := t.DropMigration(ctx, v.ID); err != nil {
		return err
	}
	return t.AbandonRetype(ctx, v.ID)
}

// YieldMigration ends the migration of a volume that somebody else has changed
// meanwhile, or of which the volume is gone that Nova was to copy onto: it stays as
// that has left it, and where it is. Conflict when it was another job of the same
// migration that changed it: m is then not the row as it is now.
func (t *Tx) YieldMigration(ctx context.Context, m Migration) error {
	t.lockVolume(m.VolumeID)
	t.expect(fault.New(fault.Conflict, "The migration of volume %s goes on.", m.VolumeID), `SELECT 1
		FROM volume_migrations m JOIN volumes v ON v.id = m.volume_id
		WHERE m.volume_id = $1 AND m.token = $2 AND (m.generation <> v.generation OR m.new_volume_id IS NOT NULL)`, m.VolumeID, string(m.Token))
	t.later(`UPDATE volumes SET migration_status = $2, updated_at = now() WHERE id = $1 AND migration_status IN ($3, $4, $5)`,
		m.VolumeID, MigrationError, MigrationStarting, MigrationMigrating, MigrationCompleting)
	if m.NewVolumeID != nil { // it was held for that one
		t.endHold(m.VolumeID)
		if err := t.SettleAttachments(ctx, m.VolumeID); err != nil {
			return err
		}
	}
	return t.DropMigration(ctx, m.VolumeID)
}

// DropMigration forgets a volume's migration and gives back what it was promised.
// May be repeated.
func (t *Tx) DropMigration(ctx context.Context, volumeID string) error {
	t.later(unclaimMigrationSQL, volumeID)
	t.later("DELETE FROM volume_migrations WHERE volume_id = $1", volumeID)
	return nil
}

// hostOf gives host@backend of host@backend#pool.
func hostOf(pool string) string {
	host, _, _ := strings.Cut(pool, "#")
	return host
}
