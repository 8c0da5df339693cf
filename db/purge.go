package db

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// grave is a table whose rows stay when they are deleted, with what may still need one
// of them: columns of other tables.
type grave struct {
	table  string
	needs  []string // table.column
	parts  []string // the same of rows that go with theirs
	record bool     // it has a history, <singular>_history
}

// graves are in such an order that what refers to a row goes before it.
var graves = []grave{
	{table: "attachments"},
	{table: "transfers"},
	{table: "snapshots", record: true},
	{table: "group_snapshots", needs: []string{"snapshots.group_snapshot_id"}, record: true},
	{table: "backups", needs: []string{"backups.parent_id"}, record: true},
	{table: "volumes", record: true, needs: []string{
		"attachments.volume_id", "transfers.volume_id", "snapshots.volume_id", "image_cache.volume_id", "image_uploads.volume_id",
		"volume_reimages.volume_id", "volume_retypes.volume_id", "volume_migrations.volume_id", "volume_migrations.new_volume_id"}},
	{table: "groups", needs: []string{"group_snapshots.group_id", "volumes.group_id"}, parts: []string{"group_volume_types.group_id"}, record: true},
	{table: "group_types", needs: []string{"groups.group_type_id", "group_snapshots.group_type_id"}},
	{table: "volume_types", needs: []string{
		"volumes.volume_type_id", "snapshots.volume_type_id", "volume_retypes.volume_type_id",
		"group_volume_types.volume_type_id", "default_types.volume_type_id"}},
}

// purgedAtOnce is how many rows one statement takes away.
const purgedAtOnce = 5000

// sql takes some rows away for good that were deleted before $1, and counts them.
func (g grave) sql() string {
	var unneeded, along strings.Builder
	for _, need := range g.needs {
		table, _, _ := strings.Cut(need, ".")
		fmt.Fprintf(&unneeded, " AND NOT EXISTS (SELECT 1 FROM %s WHERE %s = r.id)", table, need)
	}
	parts := g.parts
	if g.record {
		row := strings.TrimSuffix(g.table, "s")
		parts = append(parts[:len(parts):len(parts)], row+"_history."+row+"_id")
	}
	for i, part := range parts {
		table, _, _ := strings.Cut(part, ".")
		fmt.Fprintf(&along, ", part%d AS (DELETE FROM %s USING old WHERE %s = old.id)", i, table, part)
	}
	return fmt.Sprintf(`WITH old AS MATERIALIZED (SELECT r.id FROM %[1]s r WHERE r.deleted_at < $1%[2]s LIMIT %[3]d FOR UPDATE SKIP LOCKED)%[4]s,
		gone AS (DELETE FROM %[1]s USING old WHERE %[1]s.id = old.id RETURNING 1)
		SELECT count(*) FROM gone`, g.table, unneeded.String(), purgedAtOnce, along.String())
}

// Purge takes the rows for good that were deleted before a time, but those that
// something still refers to, and tells each table and how many rows of it are gone. It
// may be repeated after an error, and run beside everything else. What a node has left
// of a volume that was purged is a stranger's to the reconciler, and stays.
func (d *DB) Purge(ctx context.Context, before time.Time, tell func(table string, rows int)) error {
	for _, g := range graves {
		sql, all := g.sql(), 0
		for {
			var some int
			if err := d.pool.QueryRow(ctx, sql, before).Scan(&some); err != nil {
				return err
			}
			if all += some; some < purgedAtOnce {
				break
			}
		}
		tell(g.table, all)
	}
	return nil
}
