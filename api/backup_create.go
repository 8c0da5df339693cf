package api

import (
	"github.com/google/uuid"

	"clinker/db"
)

// backupRequest is the body of backups.create.
type backupRequest struct {
	Backup struct {
		VolumeID    string            `json:"volume_id"`
		Container   *string           `json:"container"`
		Name        *trimmed          `json:"name"`
		Description *trimmed          `json:"description"`
		Incremental boolish           `json:"incremental"`
		Force       boolish           `json:"force"`
		SnapshotID  *string           `json:"snapshot_id"`
		Metadata    map[string]string `json:"metadata"`
		Zone        *string           `json:"availability_zone"`
	} `json:"backup"`
}

// createBackup accepts a backup even where no node could make it at the moment,
// as Cinder does: it then ends in error, and says why.
func (s *Server) createBackup(c *Call) (View, error) {
	var in backupRequest
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	v, err := c.snapshotVolume(&in.Backup.VolumeID)
	if err != nil {
		return nil, err
	}
	if err := c.maySeeSnapshot(in.Backup.SnapshotID); err != nil {
		return nil, err
	}
	b := db.Backup{
		ID: uuid.NewString(), VolumeID: in.Backup.VolumeID, ProjectID: c.Identity.ProjectID, UserID: c.Identity.UserID,
		Name: in.Backup.Name.optional(), Description: in.Backup.Description.optional(), Container: filled(in.Backup.Container),
		SnapshotID: in.Backup.SnapshotID, Metadata: in.Backup.Metadata, AvailabilityZone: filled(in.Backup.Zone), RequestID: c.RequestID,
	}
	key, err := c.backupKey(&b, v)
	if err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error {
		if err := tx.InsertBackup(c.Context(), &b, bool(in.Backup.Force), bool(in.Backup.Incremental), s.Limits); err != nil {
			return err
		}
		key.keep(tx, b.ID)
		return nil
	})
	if err != nil {
		key.abandon()
		return nil, err
	}
	return c.backupAnswer(b), nil
}

// maySeeSnapshot: a snapshot that the caller may not get does not exist for them.
func (c *Call) maySeeSnapshot(id *string) error {
	if id == nil {
		return nil
	}
	snap, err := c.database().Snapshot(c.Context(), *id, c.Scope())
	if err == nil && !c.Can("volume:get_snapshot", snapshotOwner(snap)) {
		err = db.SnapshotNotFound(*id)
	}
	return err
}

// filled is nil for a text that is not there, or empty.
func filled(text *string) *string {
	if text == nil || *text == "" {
		return nil
	}
	return text
}
