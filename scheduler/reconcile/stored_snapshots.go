package reconcile

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"clinker/db"
	"clinker/volumed/rpc"
)

func init() {
	comparisons = append(comparisons, comparison{"stored snapshots", 20 * time.Second, (*Reconciler).storedSnapshots})
}

// storedSnapshots compares the snapshots of a pool with the rows, as stored
// does volumes.
func (r *Reconciler) storedSnapshots(ctx context.Context, p db.PoolService, node rpc.Volumed) error {
	resting, err := ofPool(ctx, r, p, r.DB.SnapshotsResting)
	if err != nil {
		return err
	}
	stored, err := node.Stored(ctx, rpc.PoolOf(p.Name))
	if err != nil {
		return err
	}
	snapshots := map[string]*rpc.Stored{}
	for _, s := range stored {
		if s.Kind == rpc.KindSnapshot {
			snapshots[s.ID] = s
		}
	}
	for _, s := range resting {
		if snapshots[s.ID] == nil && r.first("missing "+s.ID) {
			alarm(ctx, "stored snapshots", "a snapshot is not on its storage node: data may be lost",
				"snapshot", s.ID, "volume", s.VolumeID, "pool", p.Name)
		}
		delete(snapshots, s.ID) // it is where it should be
	}
	return r.snapshotRemains(ctx, p, node, snapshots)
}

// snapshotRemains destroys what is left of snapshots that have been deleted, are
// elsewhere, or were never finished. What the database has never heard of stays.
func (r *Reconciler) snapshotRemains(ctx context.Context, p db.PoolService, node rpc.Volumed, stored map[string]*rpc.Stored) error {
	if len(stored) == 0 {
		return nil
	}
	known, err := r.DB.SnapshotsEver(ctx, slices.Collect(maps.Keys(stored)))
	if err != nil {
		return err
	}
	unknown := map[string]*rpc.Stored{}
	for id, there := range stored {
		s, ok := known[id]
		switch {
		case !ok:
			unknown[id] = there
		case s.IsRemains(p.ID):
			if err := r.destroySnapshot(ctx, p, node, s, there); err != nil && !gone(err) {
				slog.WarnContext(ctx, "remains of a snapshot could not be taken away", "snapshot", id, "pool", p.Name, "error", err)
			}
		}
	}
	if err := r.backupRemains(ctx, p, node, unknown); err != nil {
		return err
	}
	strangers := 0
	for id := range unknown {
		if r.first("stranger " + id) {
			strangers++
		}
	}
	if strangers > 0 {
		slog.WarnContext(ctx, "a pool holds snapshots that the database does not know; they are left alone", "pool", p.Name, "snapshots", strangers)
	}
	return nil
}

func (r *Reconciler) destroySnapshot(ctx context.Context, p db.PoolService, node rpc.Volumed, s db.Snapshot, there *rpc.Stored) error {
	generation := max(s.Generation, there.Generation) + 1
	if s.DeletedAt == nil {
		err := r.DB.Tx(ctx, func(tx *db.Tx) (err error) {
			generation, err = tx.OutdateSnapshot(ctx, s, p.ID)
			return err
		})
		if err != nil {
			return err
		}
	}
	slog.WarnContext(ctx, "a node has remains of a snapshot that is gone or failed; they are taken away", "snapshot", s.ID, "pool", p.Name)
	return ended(node.DestroySnapshot(ctx, destroyFence(s.ID, generation), rpc.PoolOf(p.Name)))
}
