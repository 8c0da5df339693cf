package db

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"clinker/internal/fault"
)

// A volume that a server uses can only be moved by who has it open: Nova's swap. A
// new volume is made at the destination, a row of its own with the migration
// status target:<id>; Nova copies onto it, lets the server use it, lets the old one
// go, and calls os-migrate_volume_completion. Then the two rows exchange what lies
// where, and the new row, with the old bytes, is deleted. From then on the node of
// the volume knows it by the new one's id (Volume.StorageID).

// SwapDelete takes away the row that is left over.
var SwapDelete = Move{"end a migration", nil, "deleting"}

// TargetStatus is the migration status of the volume that another is moved onto.
func TargetStatus(id string) string { return "target:" + id }

// BeginSwap makes the row that a volume in use is to be moved onto, in the pool
// that was claimed for it. The old one is held meanwhile, so that nobody takes it
// when its server has let it go. Conflict when v is not the row as it is now.
func (t *Tx) BeginSwap(ctx context.Context, v Volume, m Migration, serverID, typeID string) (Volume, error) {
	moved, err := t.step(ctx, v, "its server will be asked", "")
	if err != nil {
		return Volume{}, err
	}
	if v.Status == "in-use" {
		t.later("UPDATE volumes SET held = true WHERE id = $1", v.ID)
	}
	pool, err := first(ctx, t, pgx.RowToStructByPos[struct {
		Name, Zone string
		Service    string
	}], fault.New(fault.NotFound, "Pool %s could not be found.", *m.PoolID), "SELECT name, availability_zone, service_id::text FROM pools WHERE id = $1", *m.PoolID)
	if err != nil {
		return Volume{}, err
	}
	target, description := TargetStatus(v.ID), "migration target for "+v.ID
	n := Volume{ID: uuid.NewString(), ProjectID: v.ProjectID, UserID: v.UserID, Name: v.Name, Description: &description, SizeGiB: v.SizeGiB,
		Status: "creating", Generation: 1, MigrationStatus: &target, VolumeTypeID: typeID, AvailabilityZone: pool.Zone,
		PoolID: m.PoolID, ClaimedBytes: m.ClaimedBytes, Host: &pool.Name, ServiceID: &pool.Service, Bootable: v.Bootable,
		Metadata: v.Metadata, AdminMetadata: StringMap{}, ImageMetadata: v.ImageMetadata, RequestID: v.RequestID}
	if err := t.InsertVolume(ctx, &n); err != nil {
		return n, err
	}
	t.later(`UPDATE volume_migrations SET generation = $2, new_volume_id = $3, server_id = $4, pool_id = NULL, claimed_bytes = 0
		WHERE volume_id = $1`, v.ID, moved.Generation, n.ID, serverID)
	return n, nil
}

// AskedToSwap notes that Nova is being asked.
func (t *Tx) AskedToSwap(ctx context.Context, volumeID string) error {
	t.later("UPDATE volume_migrations SET asked_at = now(), asked = asked + 1 WHERE volume_id = $1", volumeID)
	return nil
}

// Swap ends the migration of a volume that Nova has copied onto another: what lies
// where is exchanged between the two rows, with the attachments of the new one, and
// the new row is to be deleted, with what the old one had. to is the type that the
// volume gets with it, nil when it keeps its own. Conflict when the two are not such
// a pair, or somebody uses the old bytes still.
func (t *Tx) Swap(ctx context.Context, volumeID, newID string, to *Retype, request string) error {
	old, n, err := t.pair(ctx, volumeID, newID)
	if err == nil {
		err = t.unused(ctx, volumeID)
	}
	if err != nil {
		return err
	}
	generation := max(old.Generation, n.Generation) // their nodes have seen either
	t.later("UPDATE attachments SET volume_id = $2 WHERE volume_id = $1 AND deleted_at IS NULL", n.ID, old.ID)
	set := n.place()
	set["migration_status"] = MigrationSuccess
	if old.Status == "error" {
		set["replication_status"] = nil // it was lost, and is saved
	}
	if to != nil {
		set["volume_type_id"], set["multiattach"] = to.VolumeTypeID, to.ExtraSpecs.IsTrue("multiattach")
	}
	t.later("UPDATE volumes SET held = false, generation = $2 WHERE id = $1", old.ID, generation)
	t.later("UPDATE volumes SET generation = $2 WHERE id = $1", n.ID, generation)
	if _, err := t.MoveVolume(ctx, old.ID, MigrateSwapped, "", set); err != nil {
		return err
	}
	set = old.place()
	set["migration_status"], set["description"] = "deleting", "migration src for "+old.ID
	if _, err := t.MoveVolume(ctx, n.ID, SwapDelete, "", set); err != nil {
		return err
	}
	if err := t.DropMigration(ctx, old.ID); err != nil {
		return err
	}
	if to != nil {
		if err := t.exchangeType(ctx, old, *to); err != nil {
			return err
		}
	}
	return t.Enqueue(ctx, VolumeDeleteArgs{VolumeID: n.ID, Request: request})
}

// swappedFrom are the statuses that a volume's attachments give it while its server
// moves it.
var swappedFrom = []string{"available", "in-use", "attaching", "reserved", "detaching", "maintenance", "retyping"}

var (
	// MigrateSwapped: the server uses the bytes in the new pool. Whatever the status is
	// that its attachments had given it meanwhile, or that the loss of its old node has.
	MigrateSwapped = Move{"finish migrating", append(slices.Clone(swappedFrom), "error"), Settled}
	// MigrateNotSwapped: it stays where it is. What is in error, stays so.
	MigrateNotSwapped     = Move{"fail migrating", swappedFrom, Settled}
	MigrateNotSwappedLost = Move{"fail migrating", []string{"error"}, Same}
)

// refuseSwapped keeps a volume in use, which this transaction has moved, as it is
// while its server copies it: what it is copied onto would be too short, or be
// exchanged under who reads it.
func refuseSwapped(v Volume) error {
	if v.Held && migrating(v) {
		return fault.New(fault.Conflict, "Volume %s is being moved by its server; try again when it is there.", v.ID)
	}
	return nil
}

// swaps tells whether a server moves the volume, or is to.
func (t *Tx) swaps(ctx context.Context, volumeID string) (bool, error) {
	return first(ctx, t, pgx.RowTo[bool], nil,
		"SELECT EXISTS (SELECT 1 FROM volume_migrations WHERE volume_id = $1 AND new_volume_id IS NOT NULL)", volumeID)
}

// EndSwapTarget takes away the volume that one which is gone was to be moved onto.
func (t *Tx) EndSwapTarget(ctx context.Context, m Migration, request string) error {
	if err := t.DropMigration(ctx, m.VolumeID); err != nil || m.NewVolumeID == nil {
		return err
	}
	err := t.deleteTarget(ctx, *m.NewVolumeID, "", request)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// deleteTarget gives the volume that another was to be moved onto to its deletion.
func (t *Tx) deleteTarget(ctx context.Context, newID, reason, request string) error {
	if _, err := t.MoveVolume(ctx, newID, SwapDelete, reason, map[string]any{"migration_status": "deleting"}); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeDeleteArgs{VolumeID: newID, Request: request})
}

// place is what a row says of where its bytes are.
func (v Volume) place() map[string]any {
	return map[string]any{"pool_id": v.PoolID, "host": v.Host, "service_id": v.ServiceID, "availability_zone": v.AvailabilityZone,
		"claimed_bytes": v.ClaimedBytes, "provider_id": v.ProviderID, "launched_at": v.LaunchedAt,
		"name_id": gorm.Expr("NULLIF(?::uuid, v.id)", v.StorageID())}
}

// pair locks a volume and the one that it is moved onto. Conflict when they are
// none.
func (t *Tx) pair(ctx context.Context, volumeID, newID string) (old, n Volume, err error) {
	first, second := min(volumeID, newID), max(volumeID, newID)
	found := map[string]Volume{}
	for _, id := range []string{first, second} {
		if found[id], err = t.LockVolume(ctx, id); err != nil {
			return old, n, err
		}
	}
	old, n = found[volumeID], found[newID]
	paired, err := t.exec(ctx, "UPDATE volume_migrations SET asked = asked WHERE volume_id = $1 AND new_volume_id = $2", volumeID, newID)
	if err == nil && (paired == 0 || deref(n.MigrationStatus) != TargetStatus(volumeID)) {
		err = fault.New(fault.Conflict, "Volume %s is not being moved onto volume %s.", volumeID, newID)
	}
	return old, n, err
}

// unused wants that nobody is connected to a volume any more.
func (t *Tx) unused(ctx context.Context, volumeID string) error {
	connected, err := first(ctx, t, pgx.RowTo[bool], nil, `SELECT EXISTS (SELECT 1 FROM attachments
		WHERE volume_id = $1 AND deleted_at IS NULL AND connection_info IS NOT NULL)`, volumeID)
	if err == nil && connected {
		err = fault.New(fault.Conflict, "Volume %s is connected to a host still.", volumeID)
	}
	return err
}

// FailSwap ends such a migration without a change: the volume stays what and where
// it is, and the one that was made for it is to be deleted. Conflict as for Swap.
func (t *Tx) FailSwap(ctx context.Context, volumeID, newID, reason, request string) error {
	old, n, err := t.pair(ctx, volumeID, newID)
	if err != nil {
		return err
	}
	t.later("UPDATE volumes SET held = false WHERE id = $1", old.ID)
	move := MigrateNotSwapped
	if old.Status == "error" {
		move = MigrateNotSwappedLost
	}
	if _, err := t.MoveVolume(ctx, old.ID, move, reason, map[string]any{"migration_status": MigrationError}); err != nil {
		return err
	}
	if err := t.DropMigration(ctx, old.ID); err != nil {
		return err
	}
	if err := t.AbandonRetype(ctx, old.ID); err != nil {
		return err
	}
	if err := t.deleteTarget(ctx, n.ID, reason, request); err != nil {
		return fmt.Errorf("end the volume that was to be moved onto: %w", err)
	}
	return nil
}
