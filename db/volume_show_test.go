package db_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/db/dbtest"
	"clinker/internal/fault"
)

func TestVolumesShownAtTheSameTime(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t)
	var ids []string
	for range 20 {
		v, err := newVolume(t.Context(), d, "p", 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.ID)
	}
	var all sync.WaitGroup
	for range 10 {
		for _, id := range ids {
			all.Go(func() {
				if v, err := d.VolumeShown(t.Context(), id, ""); err != nil || v.ID != id {
					t.Errorf("%s: %s, %v", id, v.ID, err)
				}
				if _, err := d.VolumeShown(t.Context(), id, "another project"); !fault.Is(err, fault.NotFound) {
					t.Errorf("%s of another project: %v", id, err)
				}
				if _, err := d.VolumeShown(t.Context(), uuid.NewString(), ""); !fault.Is(err, fault.NotFound) {
					t.Errorf("an id that nothing has: %v", err)
				}
			})
		}
	}
	all.Wait()
}
