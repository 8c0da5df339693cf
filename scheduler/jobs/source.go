package jobs

import (
	"context"
	"fmt"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// sourceOf gives what a volume is to be a copy of, false for an empty one.
func sourceOf(v db.Volume) (rpc.Source, bool) {
	switch {
	case v.SnapshotID != nil:
		return rpc.Source{Kind: rpc.KindSnapshot, ID: *v.SnapshotID}, true
	case v.SourceVolid != nil:
		return rpc.Source{Kind: rpc.KindVolume, ID: *v.SourceVolid}, true
	}
	return rpc.Source{}, false
}

// sourcePool gives the id of the pool that a source is in, nil when it is gone.
func (r *run) sourcePool(ctx context.Context, source rpc.Source) (pool *string, err error) {
	if source.Kind == rpc.KindSnapshot {
		s, err := r.DB.Snapshot(ctx, source.ID, "")
		return s.PoolID, unlessGone(err)
	}
	v, err := r.DB.Volume(ctx, source.ID, "")
	return v.PoolID, unlessGone(err)
}

func unlessGone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// explainSource says to the user what being a copy has to do with finding no
// pool, of how many.
func explainSource(source rpc.Source, pools int) string {
	what := "source volume"
	if source.Kind == rpc.KindSnapshot {
		what = "snapshot"
	}
	if pools == 0 {
		return fmt.Sprintf("The %s %s is gone.", what, source.ID)
	}
	return fmt.Sprintf("The copy must be in the pool of its %s.", what)
}
