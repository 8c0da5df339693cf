package api

import (
	"context"

	"clinker/db"
)

func init() { register(snapshotMetadataRoutes) }

func snapshotMetadataRoutes(*Server) []Route {
	return metadataOf{
		name: "snapshot_metadata", path: "/snapshots/:snapshot_id/metadata",
		rules: metadataRules{get: "volume:get_snapshot", read: "volume:get_snapshot_metadata", create: "volume:update_snapshot_metadata",
			update: "volume:update_snapshot_metadata", remove: "volume:delete_snapshot_metadata"},
		find: func(c *Call) (string, db.StringMap, error) {
			s, err := c.snapshot()
			return s.ID, s.Metadata, err
		},
		noKey: db.SnapshotMetadataNotFound,
		change: func(ctx context.Context, tx *db.Tx, id, _ string, change metadataChange) (db.StringMap, error) {
			return tx.ChangeSnapshotMetadata(ctx, id, change)
		},
	}.routes()
}
