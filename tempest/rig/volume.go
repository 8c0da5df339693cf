package rig

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
)

// Settle is how long a volume may take at most to get where it was sent.
const Settle = 60 * time.Second

// NewVolume makes a volume and waits until it can be used.
func NewVolume(t testing.TB, c *gophercloud.ServiceClient, o volumes.CreateOpts) *volumes.Volume {
	t.Helper()
	v, err := volumes.Create(t.Context(), c, o, nil).Extract()
	if err != nil {
		t.Fatalf("create a volume: %v", err)
	}
	return AwaitVolume(t, c, v.ID, "available")
}

// AwaitVolume waits until a volume has one of the statuses. An error status
// that is not among them fails the test at once.
func AwaitVolume(t testing.TB, c *gophercloud.ServiceClient, id string, statuses ...string) *volumes.Volume {
	t.Helper()
	var v *volumes.Volume
	Eventually(t, Settle, func() (err error) {
		if v, err = volumes.Get(t.Context(), c, id).Extract(); err != nil {
			return err
		}
		if slices.Contains(statuses, v.Status) {
			return nil
		}
		if len(v.Status) >= 5 && v.Status[:5] == "error" {
			t.Fatalf("volume %s is in status %s, wanted %v", id, v.Status, statuses)
		}
		return fmt.Errorf("volume %s is in status %s, wanted %v", id, v.Status, statuses)
	})
	return v
}

// DeleteVolume deletes a volume and waits until it is gone.
func DeleteVolume(t testing.TB, c *gophercloud.ServiceClient, id string) {
	t.Helper()
	if err := volumes.Delete(t.Context(), c, id, nil).ExtractErr(); err != nil {
		t.Fatalf("delete volume %s: %v", id, err)
	}
	Eventually(t, Settle, func() error {
		v, err := volumes.Get(t.Context(), c, id).Extract()
		if gophercloud.ResponseCodeIs(err, 404) {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("volume %s is in status %s, not gone", id, v.Status)
		}
		return err
	})
}
