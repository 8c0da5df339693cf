package api

import (
	"clinker/db"
	"clinker/internal/fault"
)

// exportBackup writes down what a database that has lost the backup, or never had
// it, needs to know of it.
func (s *Server) exportBackup(c *Call) (View, error) {
	b, err := c.backup()
	if err != nil {
		return nil, err
	}
	if b.Status != db.BackupAvailable {
		return nil, fault.New(fault.Invalid, "Invalid backup: Backup status must be available and not %s.", b.Status)
	}
	if err := c.anyBackupService(b.AvailabilityZone); err != nil {
		return nil, err
	}
	return func(o object) {
		o.object("backup-record", func(o object) {
			o.text("backup_service", b.Service)
			o.str("backup_url", recordOf(b))
		})
	}, nil
}

// importBackup makes a backup of a record. It is not available before a node has
// found it in a store, as the record says.
func (s *Server) importBackup(c *Call) (View, error) {
	var in struct {
		Record struct {
			Service string `json:"backup_service"`
			URL     string `json:"backup_url"`
		} `json:"backup-record"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	services, err := c.backupServices()
	if err != nil {
		return nil, err
	}
	if len(services) == 0 {
		return nil, fault.New(fault.Unavailable, "Service %s could not be found.", in.Record.Service)
	}
	record, err := readRecord(in.Record.URL)
	if err != nil {
		return nil, err
	}
	b := record.row(c)
	if err := s.db.Tx(c.Context(), func(tx *db.Tx) error { return tx.ImportBackup(c.Context(), &b, s.Limits) }); err != nil {
		return nil, err
	}
	return c.backupAnswer(b), nil
}
