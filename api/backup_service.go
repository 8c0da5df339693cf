package api

import (
	"slices"
	"strings"
	"time"

	"clinker/db"
	"clinker/internal/fault"
)

// backupServices are the nodes that back up and restore at the moment: up, and not
// disabled.
func (c *Call) backupServices() ([]db.Service, error) {
	found, err := c.database().BackupServices(c.Context())
	now := time.Now()
	return slices.DeleteFunc(found, func(s db.Service) bool { return s.Disabled || !s.Up(now, c.server.ServiceDownTime) }), err
}

// anyBackupService is nil when there is one in the zone, or in any where none is
// named; else NotFound, in Cinder's words.
func (c *Call) anyBackupService(zone *string) error {
	found, err := c.backupServices()
	if err == nil && !slices.ContainsFunc(found, func(s db.Service) bool { return zone == nil || s.AvailabilityZone == *zone }) {
		err = fault.New(fault.NotFound, "Service cinder-backup could not be found.")
	}
	return err
}

// reachesStore refuses to write a backup over a volume whose node does not reach
// the store that it lies in.
func (c *Call) reachesStore(v db.Volume, b db.Backup) error {
	if v.Host == nil || b.Store == nil {
		return nil // the job says what is wrong
	}
	node, _, _ := strings.Cut(*v.Host, "@")
	found, err := c.backupServices()
	if err == nil && !slices.ContainsFunc(found, func(s db.Service) bool { return s.Host == node && s.BackupStore == *b.Store }) {
		err = fault.New(fault.Invalid, "Invalid volume: The storage node of volume %s does not reach the store of backup %s at the moment; the backup can be restored to a new volume.", v.ID, b.ID)
	}
	return err
}
