package reconcile

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"clinker/db"
	"clinker/volumed/rpc"
)

// backupRemains destroys snapshots that a node has taken to back a volume up, and
// needs no more: the backup is gone or failed, or its volume is elsewhere. It takes
// what it knows out of the map, and leaves what is nobody's snapshot.
func (r *Reconciler) backupRemains(ctx context.Context, p db.PoolService, node rpc.Volumed, strangers map[string]*rpc.Stored) error {
	if len(strangers) == 0 {
		return nil
	}
	known, err := r.DB.BackupsEver(ctx, slices.Collect(maps.Keys(strangers)))
	if err != nil {
		return err
	}
	for id, b := range known {
		there := strangers[id]
		delete(strangers, id)
		if !b.IsRemains(p.ID) {
			continue
		}
		if err := r.destroyBackupSnapshot(ctx, p, node, b.Backup, there); err != nil && !gone(err) {
			slog.WarnContext(ctx, "remains of a backup could not be taken away", "backup", id, "pool", p.Name, "error", err)
		}
	}
	return nil
}

func (r *Reconciler) destroyBackupSnapshot(ctx context.Context, p db.PoolService, node rpc.Volumed, b db.Backup, there *rpc.Stored) error {
	generation := max(b.Generation, there.Generation) + 1
	if b.DeletedAt == nil {
		err := r.DB.Tx(ctx, func(tx *db.Tx) (err error) {
			generation, err = tx.OutdateBackup(ctx, b)
			return err
		})
		if err != nil {
			return err
		}
	}
	slog.WarnContext(ctx, "a node has a snapshot left of a backup that needs it no more; it is taken away", "backup", b.ID, "pool", p.Name)
	return ended(node.DestroySnapshot(ctx, destroyFence(b.ID, generation), rpc.PoolOf(p.Name)))
}
