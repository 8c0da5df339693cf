package rig

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
)

// NewBackup makes a backup and waits until it can be used.
func NewBackup(t testing.TB, c *gophercloud.ServiceClient, o backups.CreateOpts) *backups.Backup {
	t.Helper()
	b, err := backups.Create(t.Context(), c, o).Extract()
	if err != nil {
		t.Fatalf("back up: %v", err)
	}
	return AwaitBackup(t, c, b.ID, "available")
}

// AwaitBackup waits until a backup has one of the statuses. An error that is not
// among them fails the test at once.
func AwaitBackup(t testing.TB, c *gophercloud.ServiceClient, id string, statuses ...string) *backups.Backup {
	t.Helper()
	var b *backups.Backup
	Eventually(t, Settle, func() (err error) {
		if b, err = backups.Get(t.Context(), c, id).Extract(); err != nil || slices.Contains(statuses, b.Status) {
			return err
		}
		if b.Status == "error" {
			t.Fatalf("backup %s is in status error, wanted %v: %s", id, statuses, b.FailReason)
		}
		return fmt.Errorf("backup %s is in status %s, wanted %v", id, b.Status, statuses)
	})
	return b
}

// DeleteBackup deletes a backup and waits until it is gone.
func DeleteBackup(t testing.TB, c *gophercloud.ServiceClient, id string) {
	t.Helper()
	if err := backups.Delete(t.Context(), c, id).ExtractErr(); err != nil {
		t.Fatalf("delete backup %s: %v", id, err)
	}
	Eventually(t, Settle, func() error {
		b, err := backups.Get(t.Context(), c, id).Extract()
		if gophercloud.ResponseCodeIs(err, 404) {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("backup %s is in status %s, not gone", id, b.Status)
		}
		return err
	})
}

// Restore restores a backup, to a new volume if volumeID is "", and waits until that
// can be used. It gives the volume's id.
func Restore(t testing.TB, c *gophercloud.ServiceClient, id, volumeID string) string {
	t.Helper()
	r, err := backups.RestoreFromBackup(t.Context(), c, id, backups.RestoreOpts{VolumeID: volumeID}).Extract()
	if err != nil {
		t.Fatalf("restore backup %s: %v", id, err)
	}
	AwaitVolume(t, c, r.VolumeID, "available")
	AwaitBackup(t, c, id, "available")
	return r.VolumeID
}
