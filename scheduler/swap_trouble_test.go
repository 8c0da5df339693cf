package scheduler_test

import (
	"context"
	"testing"
	"time"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler/nodetest"
)

// target waits for the volume that another is moved onto, in a status.
func (n *fakeNova) target(status string) db.Volume {
	n.Helper()
	var found db.Volume
	n.eventually("a target that is "+status, func() bool {
		m, err := n.db.MigrationOf(n.Context(), n.v.ID)
		if err == nil && m.NewVolumeID != nil {
			found, err = n.db.Volume(n.Context(), *m.NewVolumeID, "")
		}
		return err == nil && found.Status == status
	})
	return found
}

// idle has Nova begin nothing, for longer than a test takes.
func idle(t *testing.T) *fakeNova {
	n := newNova(t)
	n.steps = failing("begin")
	return n
}

// TestSwapTargetHasNoJobOfItsOwn: what makes it is the migration's job, however long
// its node is silent. Another job would place it anew.
func TestSwapTargetHasNoJobOfItsOwn(t *testing.T) {
	n := newNova(t)
	n.b.Break(nodetest.Fault{Method: "create", Err: fault.New(fault.Unavailable, "it does not answer")})
	n.migrate(onB, false)
	target := n.target("creating")
	n.sweep()
	if jobs := dbtest.Rows(t, n.db, "SELECT kind FROM river_job WHERE kind = 'volume_create' AND args @> jsonb_build_object('volume_id', $1::text)", target.ID); len(jobs) > 0 {
		t.Errorf("jobs %v", jobs)
	}
	n.b.Mend()
	n.eventually("an end", func() bool { _, err := n.db.MigrationOf(t.Context(), n.v.ID); return fault.Is(err, fault.NotFound) })
	n.ended.Wait()
	n.only()
}

// TestSwapTargetFails: nobody is asked to copy onto what is in error.
func TestSwapTargetFails(t *testing.T) {
	n := idle(t)
	n.migrate(onB, false)
	target := n.target("available")
	n.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.FailOverVolume(ctx, target.ID)
		return err
	})
	n.ends("error")
	n.only()
}

// TestSwapTargetIsTakenAway: an administrator has ended the one; the other is in use
// as before, and free when its server lets go.
func TestSwapTargetIsTakenAway(t *testing.T) {
	n := idle(t)
	n.migrate(onB, false)
	n.delete(n.target("available").ID)
	n.ends("error")
	n.only()
	if v := n.read(n.v.ID); v.Held || v.Status != "in-use" {
		t.Errorf("%+v", v)
	}
	if _, err := n.call("DELETE", "/attachments/"+n.attachment, ""); err != nil {
		t.Fatal(err)
	}
	if v := n.read(n.v.ID); v.Status != "available" {
		t.Errorf("its status is %s", v.Status)
	}
}

// TestSwapSourceIsTakenAway: the other goes too.
func TestSwapSourceIsTakenAway(t *testing.T) {
	n := idle(t)
	n.migrate(onB, false)
	n.target("available")
	if _, err := n.call("DELETE", "/attachments/"+n.attachment, ""); err != nil {
		t.Fatal(err)
	}
	n.delete(n.v.ID)
	n.rests(n.v.ID, "deleted")
	n.eventually("nothing is left", func() bool {
		n.sweep()
		left, err := n.db.Volumes(t.Context(), db.Query{Limit: 10})
		return err == nil && len(left) == 0 && len(n.a.Volumes())+len(n.b.Volumes()) == 0
	})
	n.trueCounters()
}

// TestSwapSourceIsLost: its node is declared lost while its server moves it. Nova
// decides how that ends.
func TestSwapSourceIsLost(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]bool{"too late": false, "too early": true} {
		t.Run(name, func(t *testing.T) {
			n := newNova(t)
			reached, gate := make(chan struct{}), make(chan struct{})
			n.steps = func(step string) error {
				if step != "copy" {
					return nil
				}
				close(reached)
				<-gate
				if fails {
					return fault.New(fault.Internal, "the disk is gone")
				}
				return nil
			}
			n.migrate(onB, false)
			<-reached
			n.tx(func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.FailOverVolume(ctx, n.v.ID)
				return err
			})
			close(gate)
			want, host, end := "in-use", onB, "success"
			if fails {
				want, host, end = "error", onA, "error"
			}
			n.ends(end)
			n.ended.Wait()
			n.only()
			if v := n.read(n.v.ID); v.Status != want || *v.Host != host || v.Held || (v.ReplicationStatus != nil) != fails {
				t.Errorf("%+v", v)
			}
		})
	}
}

// TestSwapKeepsTheVolumeAsItIs: what Nova copies must not grow, nor be at something
// else when Nova says that it is done.
func TestSwapKeepsTheVolumeAsItIs(t *testing.T) {
	n := newSilentNova(t, time.Minute)
	n.steps = failing("begin")
	n.migrate(onB, false)
	n.target("available")
	v := n.read(n.v.ID)
	err := n.db.Tx(t.Context(), func(tx *db.Tx) error {
		return tx.BeginExtend(t.Context(), v, db.ExtendBeginInUse, 5, "req-extend", nil)
	})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("extended: %v", err)
	}
	err = n.db.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.BeginUpload(t.Context(), v.ID, db.UploadBeginInUse, db.ImageUpload{ImageID: v.ID, VolumeID: v.ID, DiskFormat: "raw"})
		return err
	})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("uploaded: %v", err)
	}
}
