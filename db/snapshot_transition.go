package db

import "context"

var movedSnapshots = withHistory(snapshots, "Snapshot", scanSnapshot, SnapshotNotFound)

// MoveSnapshot changes a snapshot's status by compare-and-set, raises its
// generation and writes the history; set holds further columns for the same
// statement. It gives the row as it is then. Conflict, with the status it found
// in the message, when the snapshot is in none of the Move's statuses; NotFound
// when it is gone.
func (t *Tx) MoveSnapshot(ctx context.Context, id string, m Move, reason string, set map[string]any) (Snapshot, error) {
	return movedSnapshots.move(ctx, t, id, 0, m, reason, set)
}

// MoveSnapshotAt is MoveSnapshot for a worker that acted upon s: Conflict also
// when anything has moved the snapshot since s was read.
func (t *Tx) MoveSnapshotAt(ctx context.Context, s Snapshot, m Move, reason string, set map[string]any) (Snapshot, error) {
	return movedSnapshots.move(ctx, t, s.ID, s.Generation, m, reason, set)
}
