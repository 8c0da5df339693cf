package api

import (
	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

// snapshotRequest is the body of snapshots.create.
type snapshotRequest struct {
	Snapshot struct {
		VolumeID    *string           `json:"volume_id"`
		Name        *trimmed          `json:"name"`
		DisplayName *trimmed          `json:"display_name"`
		Description *trimmed          `json:"description"`
		Metadata    map[string]string `json:"metadata"`
		Force       *boolish          `json:"force"`
	} `json:"snapshot"`
}

func (s *Server) createSnapshot(c *Call) (View, error) {
	var in snapshotRequest
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	v, err := c.snapshotVolume(in.Snapshot.VolumeID)
	if err != nil {
		return nil, err
	}
	statuses, err := c.snapshotStatuses(in.Snapshot.Force)
	if err != nil {
		return nil, err
	}
	snap := db.Snapshot{
		ID: uuid.NewString(), VolumeID: v.ID, ProjectID: c.Identity.ProjectID, UserID: c.Identity.UserID,
		Name:        firstOf(in.Snapshot.Name, in.Snapshot.DisplayName).optional(),
		Description: in.Snapshot.Description.optional(), Metadata: in.Snapshot.Metadata, RequestID: c.RequestID,
	}
	err = c.tx(func(tx *db.Tx) error {
		tx.ReleaseEarly()
		if err := tx.InsertSnapshot(c.Context(), &snap, statuses, !s.NoSnapshotGBQuota, s.Limits); err != nil {
			return err
		}
		return tx.Enqueue(c.Context(), db.SnapshotCreateArgs{SnapshotID: snap.ID, Request: c.RequestID})
	})
	if err != nil {
		return nil, err
	}
	return c.snapshotAnswer(snap, false), nil
}

// snapshotVolume reads the volume and asks the policy about it. null passes the
// schema, and is a volume that does not exist.
func (c *Call) snapshotVolume(id *string) (db.Volume, error) {
	if id == nil {
		return db.Volume{}, db.VolumeNotFound("None")
	}
	v, err := c.database().Volume(c.Context(), *id, c.Scope())
	if err != nil {
		return v, err
	}
	if !c.Can("volume:get", ownerOf(v)) {
		return v, db.VolumeNotFound(*id)
	}
	return v, c.Allow(ownerOf(v))
}

// snapshotStatuses gives the statuses in which a volume may be for a snapshot.
// From 3.66 on an attached one needs no force; true is ignored then, and false
// is refused.
func (c *Call) snapshotStatuses(force *boolish) ([]string, error) {
	const inUse Version = 66
	if force != nil && !bool(*force) && c.Since(inUse) {
		return nil, fault.New(fault.Invalid, "Since microversion %s the 'force' flag is invalid for this request. "+
			"For backward compatability, however, when the 'force' flag is passed with a value evaluating to True, it is silently ignored.", inUse)
	}
	if c.Since(inUse) || force != nil && bool(*force) {
		return []string{"available", "in-use"}, nil
	}
	return []string{"available"}, nil
}
