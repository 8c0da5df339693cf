package scheduler_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler/nodetest"
)

// TestBackupsKilledAtAnyInstant: whatever is killed when, backups and what they are
// made of or restored to come to rest, every counter is right, and the store has
// what the database says, with the bytes that it should have.
func TestBackupsKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	store := nodetest.NewStore("one")
	nodes := []*nodetest.Node{keeper("a", store), keeper("b", store)}
	r, chance := newKillRig(t, nodes...)
	var volumes, backups []string
	for range 6 {
		volumes = append(volumes, r.rests(r.request(1, nil).ID, "available").ID)
	}
	for range 7 {
		r.disturb(chance, nodes...)
		if chance.IntN(4) == 0 {
			method := []string{"backup", "restore", "destroy_backup"}[chance.IntN(3)]
			nodes[0].Break(nodetest.Fault{Method: method, After: true, Err: fault.New(fault.Timeout, "lost"), Times: 2})
		}
		for range 12 {
			volumes, backups = r.anyBackup(chance, volumes, backups)
		}
		// Not to wait for anything, but to be somewhere in the middle.
		time.Sleep(time.Duration(chance.IntN(150)) * time.Millisecond)
		r.kill()
	}
	for _, node := range nodes {
		node.Mend()
		node.SetSlow(0)
	}
	r.backupsSettled(store)
	made := dbtest.Rows(t, r.db, "SELECT count(*)::text FROM backup_history WHERE status = 'available'")
	t.Logf("%d volumes and %d backups asked for; %s times one became available", len(volumes), len(backups), made[0])
}

// anyBackup is one request of a user about backups. Much of it is refused.
func (r *rig) anyBackup(chance *rand.Rand, volumes, backups []string) ([]string, []string) {
	r.Helper()
	pick := func(of []string) string {
		if len(of) == 0 {
			return ""
		}
		return of[chance.IntN(len(of))]
	}
	ok := func(err error) bool {
		if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
			r.Fatal(err)
		}
		return err == nil
	}
	try := func(fn func(ctx context.Context, tx *db.Tx) error) bool {
		return ok(r.db.Tx(r.Context(), func(tx *db.Tx) error { return fn(r.Context(), tx) }))
	}
	id, what := pick(backups), chance.IntN(10)
	if id == "" {
		what = 0
	}
	switch what {
	case 0, 1, 2, 3:
		made, err := r.tryBackUp(pick(volumes), chance.IntN(2) == 0, nil)
		if ok(err) {
			backups = append(backups, made)
		}
	case 4, 5:
		try(func(ctx context.Context, tx *db.Tx) error { return tx.BeginRestoreOver(ctx, id, pick(volumes), "req") })
	case 6:
		if b, err := r.db.Backup(r.Context(), id, ""); err == nil && b.Status == db.BackupAvailable {
			volumes = append(volumes, r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.BackupID = &id }).ID)
		}
	case 7:
		m := []db.Move{db.BackupDeleteBegin, db.BackupForceDelete}[chance.IntN(2)]
		try(func(ctx context.Context, tx *db.Tx) error { return tx.BeginBackupDelete(ctx, id, m, "req") })
	case 8:
		status := []string{"available", "error"}[chance.IntN(2)]
		try(func(ctx context.Context, tx *db.Tx) error {
			b, err := r.db.Backup(ctx, id, "")
			if err != nil || b.Status != db.BackupAvailable && b.Status != db.BackupError && b.Status != db.BackupRestoring || b.ObjectCount == 0 {
				return err // nobody would call that available
			}
			return tx.ResetBackup(ctx, id, status)
		})
	case 9:
		volume := pick(volumes)
		try(func(ctx context.Context, tx *db.Tx) error {
			moved, err := tx.MoveVolume(ctx, volume, db.ForceDeleteBegin, "", nil)
			if err != nil {
				return err
			}
			if moved.PoolID == nil {
				return tx.FinishDelete(ctx, moved)
			}
			return tx.Enqueue(ctx, db.VolumeDeleteArgs{VolumeID: volume})
		})
		volumes = append(volumes, r.request(1, nil).ID)
	}
	return volumes, backups
}

// backupsSettled waits for rest, and holds the database against itself, the store
// and the nodes.
func (r *rig) backupsSettled(store *nodetest.Store) {
	r.Helper()
	r.eventually("all rests", func() bool {
		moving := dbtest.Rows(r, r.db, `SELECT status FROM (SELECT status, deleted_at FROM volumes UNION ALL SELECT status, deleted_at FROM backups) AS rows
			WHERE deleted_at IS NULL AND status IN ('creating', 'deleting', 'error_deleting', 'restoring', 'backing-up', 'restoring-backup')`)
		if len(moving) > 0 {
			r.sweep()
		}
		return len(moving) == 0
	})
	r.sweep()
	r.trueCounters()
	wanted := map[string]bool{}
	for _, id := range dbtest.Rows(r, r.db, "SELECT id::text FROM backups WHERE deleted_at IS NULL AND store IS NOT NULL") {
		wanted[id] = true
	}
	has := map[string]bool{}
	for place, b := range store.Backups() {
		has[place.ID] = true
		if !wanted[place.ID] {
			r.Errorf("backup %s is left in the store", place.ID)
		}
		if b.Parent != "" && !wanted[b.Parent] {
			r.Errorf("backup %s has lost what it adds to", place.ID)
		}
	}
	for _, id := range dbtest.Rows(r, r.db, "SELECT id::text FROM backups WHERE deleted_at IS NULL AND status = 'available' AND object_count > 0") {
		if !has[id] {
			r.Errorf("backup %s is available, and not in the store", id)
		}
	}
	volumes := map[string]bool{}
	for _, node := range r.network.Nodes() {
		for id := range node.Volumes() {
			volumes[id] = true
		}
	}
	for _, id := range dbtest.Rows(r, r.db, "SELECT id::text FROM volumes WHERE deleted_at IS NULL AND pool_id IS NOT NULL") {
		if !volumes[id] {
			r.Errorf("volume %s is on no node", id)
		}
		delete(volumes, id)
	}
	for id := range volumes {
		r.Errorf("volume %s is not in the database", id)
	}
}
