package api

import (
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

// restoreRequest is the body of backups.restore.
type restoreRequest struct {
	Restore struct {
		Name     *trimmed `json:"name"`
		VolumeID *string  `json:"volume_id"`
	} `json:"restore"`
}

// restoreBackup restores to the volume that is named, or to a new one. Unlike in
// Cinder the answer does not wait for the new one: it is made of the backup like
// any volume with a source.
func (s *Server) restoreBackup(c *Call) (View, error) {
	b, err := c.backup()
	if err != nil {
		return nil, err
	}
	var in restoreRequest
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if b.Status != db.BackupAvailable {
		return nil, unrestorable()
	}
	var v db.Volume
	if in.Restore.VolumeID != nil {
		v, err = c.restoreOver(b, *in.Restore.VolumeID)
	} else {
		v, err = c.restoreToNew(b, in.Restore.Name)
	}
	if err != nil {
		return nil, plainQuota(err)
	}
	return func(o object) {
		o.object("restore", func(o object) {
			o.str("backup_id", b.ID)
			o.str("volume_id", v.ID)
			o.text("volume_name", v.Name)
		})
	}, nil
}

// plainQuota leaves the names of Cinder's exceptions out of a refusal for quota, as
// Cinder does here.
func plainQuota(err error) error {
	for _, name := range []string{"VolumeSizeExceedsAvailableQuota: ", "VolumeLimitExceeded: "} {
		if text, found := strings.CutPrefix(fault.MessageOf(err), name); found {
			return fault.Wrap(err, fault.CodeOf(err), "%s", text)
		}
	}
	return err
}

func unrestorable() error {
	return fault.New(fault.Invalid, "Invalid backup: Backup status must be available")
}

func (c *Call) restoreOver(b db.Backup, volumeID string) (db.Volume, error) {
	v, err := c.database().Volume(c.Context(), volumeID, c.Scope())
	if err == nil && !c.Can("volume:get", ownerOf(v)) {
		err = db.VolumeNotFound(volumeID)
	}
	switch {
	case err != nil:
		return v, err
	case v.Status != "available":
		return v, unavailableToRestore()
	case v.SizeGiB < b.SizeGiB:
		return v, db.TooSmallToRestore(v, b)
	}
	if err := c.anyBackupService(b.AvailabilityZone); err != nil {
		return v, err
	}
	if err := c.reachesStore(v, b); err != nil {
		return v, err
	}
	key, err := c.restoreKey(b, v)
	if err != nil {
		return v, err
	}
	err = c.tx(func(tx *db.Tx) error {
		if err := tx.BeginRestoreOver(c.Context(), b.ID, v.ID, c.RequestID); err != nil {
			return err
		}
		key.keep(tx, v.ID)
		return nil
	})
	if err != nil {
		key.abandon()
	}
	if fault.Is(err, fault.Conflict) {
		return v, unavailableToRestore()
	}
	return v, err
}

func unavailableToRestore() error {
	return fault.New(fault.Invalid, "Invalid volume: Volume to be restored to must be available")
}

func (c *Call) restoreToNew(b db.Backup, name *trimmed) (db.Volume, error) {
	if err := c.Require("volume:create", c.caller()); err != nil {
		return db.Volume{}, err
	}
	if err := c.anyBackupService(b.AvailabilityZone); err != nil {
		return db.Volume{}, err
	}
	if name == nil {
		standard := trimmed("restore_backup_" + b.ID)
		name = &standard
	}
	description := trimmed("auto-created_from_restore_from_backup")
	var in volumeRequest
	in.Volume.Name, in.Volume.Description = name, &description
	kind, err := c.typeForCreate("")
	if err != nil {
		return db.Volume{}, err
	}
	source := backupSource(b)
	v, err := c.newVolume(in, kind, source)
	if err != nil {
		return v, err
	}
	zones, err := c.zones("", kind)
	if err != nil {
		return v, err
	}
	if len(zones) > 0 {
		v.AvailabilityZone = zones[0]
	}
	keys, err := c.encrypt(&v, kind, source, nil)
	if err != nil {
		return v, err
	}
	err = c.insertVolume(&v, kind, db.VolumeCreateArgs{VolumeID: v.ID, Request: c.RequestID, Zones: zones}, keys, func(tx *db.Tx) error {
		return tx.BeginRestoreToNew(c.Context(), b.ID, v.ID)
	})
	if err != nil {
		keys.abandon()
	}
	if fault.Is(err, fault.Conflict) {
		return v, unrestorable()
	}
	return v, err
}

// backupSource is what a volume gets of a backup before it has its bytes; the rest
// follows with them.
func backupSource(b db.Backup) *volumeSource {
	return &volumeSource{what: "backup", id: b.ID, sizeGiB: b.SizeGiB, keyID: b.EncryptionKeyID, origin: b.Origin}
}

// sourceBackup finds the backup that a new volume is to be made of.
func (c *Call) sourceBackup(id string) (*volumeSource, error) {
	b, err := c.database().Backup(c.Context(), id, c.Scope())
	if err == nil {
		err = c.Require("backup:get", backupOwner(b))
	}
	if err == nil {
		err = b.Usable()
	}
	if err != nil {
		return nil, err
	}
	return backupSource(b), nil
}
