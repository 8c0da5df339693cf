package db

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// MoveBackup changes a backup's status by compare-and-set, raises its generation
// and writes the history; set holds further columns for the same statement. It
// gives the row as it is then. Conflict, with the status it found in the message,
// when the backup is in none of the Move's statuses; NotFound when it is gone.
func (t *Tx) MoveBackup(ctx context.Context, id string, m Move, reason string, set map[string]any) (Backup, error) {
	return t.moveBackup(ctx, id, 0, m, reason, set)
}

// MoveBackupAt is MoveBackup for a worker that acted upon b: Conflict also when
// anything has moved the backup since b was read.
func (t *Tx) MoveBackupAt(ctx context.Context, b Backup, m Move, reason string, set map[string]any) (Backup, error) {
	return t.moveBackup(ctx, b.ID, b.Generation, m, reason, set)
}

func (t *Tx) moveBackup(ctx context.Context, id string, generation int64, m Move, reason string, set map[string]any) (Backup, error) {
	var b builder
	moved, err := all(ctx, t, scanBackup, t.moveBackupStatement(&b, id, generation, m, reason, set), b.args...)
	if err == nil && len(moved) == 0 {
		err = t.explainBackup(ctx, id, m)
	}
	if err != nil {
		return Backup{}, err
	}
	return moved[0], nil
}

func (t *Tx) moveBackupStatement(b *builder, id string, generation int64, m Move, reason string, set map[string]any) string {
	assignments := []string{"generation = b.generation + 1", "updated_at = now()"}
	if m.To != Same {
		assignments = append(assignments, "status = "+b.arg(m.To))
	}
	if reason == "" {
		reason = m.Name
	}
	return fmt.Sprintf(`WITH moved AS (UPDATE backups b SET %s WHERE %s RETURNING b.*),
		history AS (INSERT INTO backup_history (backup_id, generation, status, reason)
			SELECT id, generation, status, %s FROM moved)
		SELECT %s FROM moved b`, b.set(assignments, set), t.live(b, "b", id)+b.among("b.status", m.From)+b.at("b", generation), b.arg(reason), backups.columns)
}

// explainBackup tells why the compare-and-set met no row.
func (t *Tx) explainBackup(ctx context.Context, id string, m Move) error {
	var b builder
	status, err := first(ctx, t, pgx.RowTo[string], BackupNotFound(id),
		"SELECT b.status FROM backups b WHERE "+t.live(&b, "b", id), b.args...)
	if err != nil {
		return err
	}
	if len(m.From) == 0 || slices.Contains(m.From, status) {
		return fault.New(fault.Conflict, "Backup %s was changed by another request at the same time.", id)
	}
	return fault.New(fault.Conflict, "Backup %s status must be %s to %s, but current status is: %s.",
		id, strings.Join(m.From, " or "), m.Name, status)
}
