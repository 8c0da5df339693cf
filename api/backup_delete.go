package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		const path, admin = "/backups/:backup_id/action", "volume_extension:backup_admin_actions:"
		return []Route{
			{Name: "backup_actions.reset_status", Method: "POST", Path: path, Action: "os-reset_status", Status: http.StatusAccepted,
				Policy: []string{"backup:get", admin + "reset_status"}, Object: true, Handler: s.resetBackup},
			{Name: "backup_actions.force_delete", Method: "POST", Path: path, Action: "os-force_delete", Status: http.StatusAccepted,
				Policy: []string{"backup:get", admin + "force_delete", "backup:delete"}, Object: true, Handler: s.forceDeleteBackup},
		}
	})
}

func (s *Server) deleteBackup(c *Call) (View, error) {
	b, err := c.backup()
	if err != nil {
		return nil, err
	}
	if b.Status != db.BackupAvailable && b.Status != db.BackupError {
		return nil, undeletableBackup()
	}
	return nil, c.beginBackupDelete(b, db.BackupDeleteBegin)
}

func undeletableBackup() error {
	return fault.New(fault.Invalid, "Invalid backup: Backup status must be available or error")
}

func (s *Server) forceDeleteBackup(c *Call) (View, error) {
	b, err := c.backup()
	if err != nil {
		return nil, err
	}
	return nil, c.beginBackupDelete(b, db.BackupForceDelete)
}

// beginBackupDelete starts the deletion, if there is a service that can do it. What
// was never stored needs none.
func (c *Call) beginBackupDelete(b db.Backup, m db.Move) error {
	if b.Dependents > 0 {
		return fault.New(fault.Invalid, "Invalid backup: Incremental backups exist for this backup.")
	}
	if b.Store != nil {
		if err := c.anyBackupService(b.AvailabilityZone); err != nil {
			return err
		}
	}
	err := c.tx(func(tx *db.Tx) error { return tx.BeginBackupDelete(c.Context(), b.ID, m, c.RequestID) })
	if fault.Is(err, fault.Conflict) {
		return undeletableBackup()
	}
	if err == nil {
		c.forgetKey(b.EncryptionKeyID)
	}
	return err
}

// resetBackup lets an administrator say what is true.
func (s *Server) resetBackup(c *Call) (View, error) {
	b, err := c.backup()
	if err != nil {
		return nil, err
	}
	status, err := c.resetStatus()
	if err != nil {
		return nil, err
	}
	if err := c.anyBackupService(b.AvailabilityZone); err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error {
		return tx.ResetBackup(c.Context(), b.ID, status)
	})
}
