package rig

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/snapshots"
)

// NewSnapshot takes a snapshot of a volume, attached or not, and waits until it
// can be used.
func NewSnapshot(t testing.TB, c *gophercloud.ServiceClient, volumeID string) *snapshots.Snapshot {
	t.Helper()
	return AwaitSnapshot(t, c, StartSnapshot(t, c, volumeID).ID, "available")
}

// StartSnapshot asks for one and does not wait.
func StartSnapshot(t testing.TB, c *gophercloud.ServiceClient, volumeID string) *snapshots.Snapshot {
	t.Helper()
	s, err := snapshots.Create(t.Context(), c, snapshots.CreateOpts{VolumeID: volumeID, Force: true}).Extract()
	if err != nil {
		t.Fatalf("take a snapshot: %v", err)
	}
	return s
}

// AwaitSnapshot waits until a snapshot has one of the statuses. An error status
// that is not among them fails the test at once.
func AwaitSnapshot(t testing.TB, c *gophercloud.ServiceClient, id string, statuses ...string) *snapshots.Snapshot {
	t.Helper()
	var s *snapshots.Snapshot
	Eventually(t, Settle, func() (err error) {
		if s, err = snapshots.Get(t.Context(), c, id).Extract(); err != nil || slices.Contains(statuses, s.Status) {
			return err
		}
		if strings.HasPrefix(s.Status, "error") {
			t.Fatalf("snapshot %s is in status %s, wanted %v", id, s.Status, statuses)
		}
		return fmt.Errorf("snapshot %s is in status %s, wanted %v", id, s.Status, statuses)
	})
	return s
}

// AwaitSnapshotGone waits until there is no such snapshot any more.
func AwaitSnapshotGone(t testing.TB, c *gophercloud.ServiceClient, id string) {
	t.Helper()
	Eventually(t, Settle, func() error {
		s, err := snapshots.Get(t.Context(), c, id).Extract()
		if gophercloud.ResponseCodeIs(err, 404) {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("snapshot %s is in status %s, not gone", id, s.Status)
		}
		return err
	})
}

// Revert asks that a volume be as its newest snapshot is (3.40).
func Revert(t testing.TB, c *gophercloud.ServiceClient, volumeID, snapshotID string) {
	t.Helper()
	body := map[string]any{"revert": map[string]any{"snapshot_id": snapshotID}}
	response, err := c.Post(t.Context(), c.ServiceURL("volumes", volumeID, "action"), body, nil,
		&gophercloud.RequestOpts{OkCodes: []int{202}})
	if err != nil {
		t.Fatalf("revert volume %s: %v", volumeID, err)
	}
	_ = response.Body.Close()
}
