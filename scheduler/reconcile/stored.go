package reconcile

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"clinker/db"
	"clinker/volumed/rpc"
)

func init() {
	comparisons = append(comparisons, comparison{"stored volumes", 20 * time.Second, (*Reconciler).stored})
}

// stored compares the volumes of a pool with the rows.
func (r *Reconciler) stored(ctx context.Context, p db.PoolService, node rpc.Volumed) error {
	// The rows that must be there first, those of what is there after: a
	// volume that comes or goes meanwhile is neither missed nor an orphan.
	resting, err := ofPool(ctx, r, p, r.DB.VolumesResting)
	if err != nil {
		return err
	}
	stored, err := node.Stored(ctx, rpc.PoolOf(p.Name))
	if err != nil {
		return err
	}
	volumes := map[string]*rpc.Stored{}
	for _, s := range stored {
		if s.Kind == rpc.KindVolume {
			volumes[s.ID] = s
		}
	}
	r.missing(ctx, p, resting, volumes)
	if err := r.grown(ctx, p, resting, volumes); err != nil {
		return err
	}
	for _, v := range resting {
		delete(volumes, v.StorageID()) // it is where it should be
	}
	return r.orphans(ctx, p, node, volumes)
}

// missing raises an alarm for volumes that their node does not have, or not in
// their size. Nothing is changed: the disk may only be unplugged.
func (r *Reconciler) missing(ctx context.Context, p db.PoolService, resting []db.PlacedVolume, stored map[string]*rpc.Stored) {
	for _, v := range resting {
		s, ok := stored[v.StorageID()]
		if !ok && r.first("missing "+v.ID) {
			alarm(ctx, "stored volumes", "a volume is not on its storage node: data may be lost", "volume", v.ID, "pool", p.Name)
		}
		if ok && s.Bytes < int64(v.SizeGiB)<<30 && r.first("short "+v.ID) {
			alarm(ctx, "stored volumes", "a volume is shorter on its storage node than it should be",
				"volume", v.ID, "pool", p.Name, "bytes", s.Bytes, "size_gib", v.SizeGiB)
		}
	}
}

// grown gives volumes whose extension failed the size that they have all the same: a
// node may have done what it then could not say. Shorter in the database than on its
// disk, a volume could be neither copied nor reverted.
func (r *Reconciler) grown(ctx context.Context, p db.PoolService, resting []db.PlacedVolume, stored map[string]*rpc.Stored) error {
	for _, v := range resting {
		s, ok := stored[v.StorageID()]
		if !ok || v.Status != "error_extending" || v.TargetSizeGiB != nil || s.Bytes>>30 <= int64(v.SizeGiB) {
			continue
		}
		err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FindExtended(ctx, v.Volume, int(s.Bytes>>30)) })
		if err != nil && !gone(err) {
			return err
		}
		slog.WarnContext(ctx, "a volume has grown though its extension failed, and gets its new size", "volume", v.ID, "pool", p.Name, "size_gib", s.Bytes>>30)
	}
	return nil
}

// orphans destroys what is left of volumes that have been deleted, or that are
// in another pool and were found there. A volume that the database has never heard of
// stays.
func (r *Reconciler) orphans(ctx context.Context, p db.PoolService, node rpc.Volumed, stored map[string]*rpc.Stored) error {
	if len(stored) == 0 {
		return nil
	}
	ids := make([]string, 0, len(stored))
	for id := range stored {
		ids = append(ids, id)
	}
	known, err := r.DB.VolumesEver(ctx, ids)
	if err != nil {
		return err
	}
	strangers := 0
	for id, s := range stored {
		v, ok := known[id]
		switch {
		case !ok:
			if r.first("stranger " + id) {
				strangers++
			}
		case v.DeletedAt == nil && v.Coming != nil && *v.Coming == p.ID: // it is about to be here
		case v.DeletedAt == nil && v.PoolID != nil && *v.PoolID != p.ID && !r.isHome(ctx, v.Volume):
			if r.first("only copy " + id) {
				alarm(ctx, "stored volumes", "a volume is not where the database has it, or its node does not answer: a copy elsewhere is left alone", "volume", v.ID, "copy_in", p.Name)
			}
		case v.DeletedAt != nil, v.PoolID == nil, *v.PoolID != p.ID:
			err := r.destroy(ctx, p, node, v.Volume, s)
			if err != nil && !gone(err) {
				slog.WarnContext(ctx, "remains of a volume could not be taken away", "volume", id, "pool", p.Name, "error", err)
			}
		}
	}
	if strangers > 0 {
		slog.WarnContext(ctx, "a pool holds volumes that the database does not know; they are left alone", "pool", p.Name, "volumes", strangers)
	}
	return nil
}

// isHome tells whether a volume lies in the pool where the database has it. One that
// was moved since the copy of which a database was restored does not, and what is
// elsewhere is all there is of it.
func (r *Reconciler) isHome(ctx context.Context, v db.Volume) bool {
	pools, err := r.DB.Pools(ctx)
	if err != nil {
		return false
	}
	i := slices.IndexFunc(pools, func(p db.PoolService) bool { return p.ID == *v.PoolID })
	if i < 0 || !pools[i].Service.Up(time.Now(), r.DownTime) {
		return false
	}
	stored, err := r.Nodes.Node(pools[i].Service.Endpoint).Stored(ctx, rpc.PoolOf(pools[i].Name))
	return err == nil && slices.ContainsFunc(stored, func(s *rpc.Stored) bool { return s.Kind == rpc.KindVolume && s.ID == v.StorageID() })
}

func (r *Reconciler) destroy(ctx context.Context, p db.PoolService, node rpc.Volumed, v db.Volume, s *rpc.Stored) error {
	generation := max(v.Generation, s.Generation) + 1
	if v.DeletedAt == nil {
		err := r.DB.Tx(ctx, func(tx *db.Tx) (err error) {
			generation, err = tx.Outdate(ctx, v, p.ID)
			return err
		})
		if err != nil {
			return err
		}
	}
	slog.WarnContext(ctx, "a node has remains of a volume that is gone or elsewhere; they are taken away", "volume", v.ID, "pool", p.Name)
	return ended(node.Destroy(ctx, destroyFence(s.ID, generation), rpc.PoolOf(p.Name)))
}
