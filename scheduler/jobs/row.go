package jobs

import (
	"context"

	"clinker/db"
	"clinker/internal/fault"
)

// while has do work on the row that a job is about, as long as that is what it was: a row
// that is gone, or in another status, an administrator or another run has finished with.
func while[T any](read func(ctx context.Context, id, scope string) (T, error), id string, still func(T) bool, do func(*run, context.Context, T) error) func(context.Context, *run) error {
	return func(ctx context.Context, run *run) error {
		row, err := read(ctx, id, "")
		if fault.Is(err, fault.NotFound) || err == nil && !still(row) {
			return nil
		}
		if err != nil {
			return err
		}
		return do(run, ctx, row)
	}
}

func volumeIs(status string) func(db.Volume) bool {
	return func(v db.Volume) bool { return v.Status == status }
}

func snapshotIs(status string) func(db.Snapshot) bool {
	return func(s db.Snapshot) bool { return s.Status == status }
}

func backupIs(status string) func(db.Backup) bool {
	return func(b db.Backup) bool { return b.Status == status }
}

func groupIs(status string) func(db.Group) bool {
	return func(g db.Group) bool { return g.Status == status }
}

func groupSnapshotIs(status string) func(db.GroupSnapshot) bool {
	return func(gs db.GroupSnapshot) bool { return gs.Status == status }
}
