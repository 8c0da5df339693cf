package api

import (
	"context"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(volumeMetadataRoutes) }

func volumeMetadataRoutes(*Server) []Route {
	return metadataOf{
		name: "volume_metadata", path: "/volumes/:volume_id/metadata",
		rules: metadataRules{get: "volume:get", read: "volume:get_volume_metadata", create: "volume:create_volume_metadata",
			update: "volume:update_volume_metadata", remove: "volume:delete_volume_metadata"},
		tagged: true,
		find: func(c *Call) (string, db.StringMap, error) {
			v, err := c.volume()
			return v.ID, v.Metadata, err
		},
		noKey: db.MetadataNotFound,
		change: func(ctx context.Context, tx *db.Tx, id, doing string, change metadataChange) (db.StringMap, error) {
			return tx.ChangeMetadata(ctx, id, inItsStatus(doing, change))
		},
	}.routes()
}

// inItsStatus refuses the change of a volume's metadata in some statuses.
func inItsStatus(doing string, change metadataChange) func(status string, now db.StringMap) (db.StringMap, error) {
	return func(status string, now db.StringMap) (db.StringMap, error) {
		next, err := change(now)
		if err == nil && (status == "maintenance" || status == "uploading") {
			err = fault.New(fault.Invalid, "Invalid volume: %s volume metadata is not allowed for volumes in %s status.", doing, status)
		}
		return next, err
	}
}
