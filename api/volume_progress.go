package api

import (
	"fmt"
	"slices"

	"clinker/db"
)

// copyingStatuses are those in which a volume's bytes are on the move.
var copyingStatuses = []string{"downloading", "uploading", "backing-up", "restoring-backup", "reverting", "retyping", "migrating", "maintenance"}

// copying tells whether a job might be copying what is on the volume; one that is
// made empty is not worth a question.
func copying(v db.Volume) bool {
	if v.Status == "creating" {
		return v.SnapshotID != nil || v.SourceVolid != nil || v.BackupID != nil
	}
	return slices.Contains(copyingStatuses, v.Status) || v.MigrationStatus != nil
}

// progressOf asks how far the copy of a volume is, for those who may know.
func (c *Call) progressOf(v db.Volume) (db.Progress, error) {
	if !c.Identity.IsAdmin || !copying(v) {
		return db.Progress{}, nil
	}
	return c.database().VolumeProgress(c.Context(), v.ID)
}

// withProgress gives a backup that shows those who may know, in its metadata, how
// far it is.
func (c *Call) withProgress(b db.Backup) (db.Backup, error) {
	if !c.Identity.IsAdmin || b.Status != db.BackupCreating && b.Status != db.BackupRestoring {
		return b, nil
	}
	p, err := c.database().BackupProgress(c.Context(), b.ID)
	if shown := shownProgress(p); shown != nil {
		b.Metadata = b.Metadata.With(shown)
	}
	return b, err
}

// shownProgress is progress among metadata, under names that no user's key has by
// chance: Cinder has no field for it.
func shownProgress(p db.Progress) map[string]string {
	if p.BytesTotal <= 0 {
		return nil
	}
	done := min(max(p.BytesDone, 0), p.BytesTotal)
	return map[string]string{
		"clinker:progress":       fmt.Sprintf("%d%%", int64(float64(done)/float64(p.BytesTotal)*100)),
		"clinker:progress_bytes": fmt.Sprintf("%d/%d", done, p.BytesTotal),
	}
}
