package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// VolumeSum is how many live volumes there are, and their sizes together.
type VolumeSum struct{ Count, SizeGiB int }

// ofOneProject limits a statement on volumes v to one project; NULL for all.
const ofOneProject = "v.deleted_at IS NULL AND v.user_id >= '' AND ($1::text IS NULL OR v.project_id = $1)"

// SumVolumes counts the live volumes of a project, or of all for nil.
func (d *DB) SumVolumes(ctx context.Context, project *string) (VolumeSum, error) {
	var s VolumeSum
	err := d.pool.QueryRow(ctx, "SELECT count(*), COALESCE(sum(v.size_gib), 0) FROM volumes v WHERE "+ofOneProject, project).
		Scan(&s.Count, &s.SizeGiB)
	return s, err
}

// KeyValues is a key of metadata with every value that it has somewhere.
type KeyValues struct {
	Key    string
	Values []string
}

// VolumeMetadataValues gathers the metadata of a project's live volumes, or of
// everybody's for nil, by key.
func (d *DB) VolumeMetadataValues(ctx context.Context, project *string) ([]KeyValues, error) {
	rows, err := d.pool.Query(ctx, `SELECT m.key, array_agg(DISTINCT m.value ORDER BY m.value)
		FROM volumes v, jsonb_each_text(v.metadata) AS m (key, value) WHERE `+ofOneProject+` GROUP BY m.key ORDER BY m.key`, project)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[KeyValues])
}
