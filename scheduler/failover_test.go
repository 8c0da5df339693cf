package scheduler_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
)

// failover declares a host lost, or back.
func (w *two) failover(host string, back bool) error {
	return w.db.Tx(w.Context(), func(tx *db.Tx) error {
		return tx.BeginFailover(w.Context(), host, time.Minute, back, "req-failover")
	})
}

func (w *two) replication(host string) string {
	w.Helper()
	return w.serviceOf(host).ReplicationStatus
}

func (w *two) serviceOf(host string) db.Service {
	w.Helper()
	found, err := w.db.Services(w.Context(), host, db.DaemonVolume)
	if err != nil || len(found) != 1 {
		w.Fatal(found, err)
	}
	return found[0]
}

// lost has the first node silent for long, and declared lost. A poll that was
// under way may still write that it lives.
func (w *two) lost(host string) {
	w.Helper()
	w.a.SetDown(true)
	w.eventually("declared lost", func() bool {
		w.exec("UPDATE services SET heartbeat_at = now() - interval '1 hour' WHERE host = 'a@lvm'")
		return w.failover(host, false) == nil
	})
}

// TestFailover: what is on a lost node is told to be, is not promised again, and can
// be deleted; what is on another is as it was.
func TestFailover(t *testing.T) {
	w := newTwo(t)
	snap, other := w.snapshotRests(w.take(w.v.ID), "available"), w.request(1, nil)
	other = w.rests(other.ID, "available")
	used := w.made()
	w.attachment(used, w.a, "attached", `{}`, true)
	if err := w.failover("a", false); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "its node answers") {
		t.Errorf("a node that is up: %v", err)
	}
	w.lost("a@lvm")
	if err := w.failover("a@lvm", false); !fault.Is(err, fault.Invalid) {
		t.Errorf("twice: %v", err)
	}
	w.eventually("failed over", func() bool { return w.replication("a@lvm") == "failed-over" })
	for _, id := range []string{w.v.ID, used.ID} {
		if v := w.read(id); v.Status != "error" || *v.ReplicationStatus != "not-capable" || v.PoolID == nil {
			t.Errorf("%+v", v)
		}
	}
	w.snapshotRests(snap.ID, "error")
	if w.read(other.ID).Status != "available" && *w.read(other.ID).Host == onB {
		t.Error("the other node's volume is in error")
	}
	told := 0
	for _, m := range w.messages() {
		if strings.Contains(m.UserMessage(), "fail over:") {
			told++
		}
	}
	if told < 2 {
		t.Errorf("%d messages", told)
	}
	w.trueCounters() // and what it was promised stays promised
	// The node is up again with what it had, but nobody has said so: nothing goes there.
	w.a.SetDown(false)
	w.exec("UPDATE services SET heartbeat_at = now(), disabled = false WHERE host = 'a@lvm'")
	for range 3 {
		if v := w.rests(w.request(1, nil).ID, "available"); *v.Host != onB {
			t.Errorf("a volume was placed on %s", *v.Host)
		}
	}
	if err := w.failover("a", true); err != nil {
		t.Fatal(err)
	}
	w.eventually("failed back", func() bool { return w.replication("a@lvm") == "disabled" })
	if v, u := w.read(w.v.ID), w.read(used.ID); v.Status != "available" || v.ReplicationStatus != nil || u.Status != "in-use" {
		t.Errorf("%s and %s", v.Status, u.Status)
	}
	w.snapshotRests(snap.ID, "available")
	if err := w.failover("a", true); !fault.Is(err, fault.Invalid) {
		t.Errorf("back twice: %v", err)
	}
}

// failovers are the states of the jobs about it, when all have ended.
func (w *two) failovers() (states []string) {
	w.Helper()
	w.eventually("jobs about a lost node end", func() bool {
		states = dbtest.Rows(w, w.db, "SELECT state::text FROM river_job WHERE kind = 'service_failover' ORDER BY id")
		return !slices.ContainsFunc(states, func(s string) bool { return s != "completed" && s != "cancelled" && s != "discarded" })
	})
	return states
}

// TestFailbackWhileFailingOver: the last word counts, however late the job is that
// tells of an earlier one.
func TestFailbackWhileFailingOver(t *testing.T) {
	w := newTwo(t)
	w.exec("UPDATE services SET heartbeat_at = now() - interval '1 hour', replication_status = 'failing-over' WHERE host = 'a@lvm'")
	w.exec("UPDATE services SET heartbeat_at = now() WHERE host = 'a@lvm'")
	if err := w.failover("a", true); err != nil {
		t.Fatal(err)
	}
	w.eventually("failed back", func() bool { return w.replication("a@lvm") == "disabled" })
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.Enqueue(ctx, db.ServiceFailoverArgs{ServiceID: w.serviceOf("a@lvm").ID, Request: "req-late"})
	})
	w.failovers()
	if v := w.read(w.v.ID); v.Status != "available" || w.replication("a@lvm") != "disabled" {
		t.Errorf("the volume is %s, its node %s", v.Status, w.replication("a@lvm"))
	}
}

// TestFailoverGoesOn: a failover whose job has gone gets another.
func TestFailoverGoesOn(t *testing.T) {
	w := newTwo(t)
	w.a.SetDown(true)
	w.exec("UPDATE services SET heartbeat_at = now() - interval '1 hour', replication_status = 'failing-over' WHERE host = 'a@lvm'")
	w.eventually("failed over", func() bool { w.sweep(); return w.replication("a@lvm") == "failed-over" })
	if v := w.read(w.v.ID); v.Status != "error" {
		t.Errorf("the volume is %s", v.Status)
	}
	if states := w.failovers(); len(states) == 0 || slices.Contains(states, "cancelled") {
		t.Error("a failover that was a success looks like a failure", states)
	}
}

// TestDeleteOnALostNode: nobody waits for a node that was declared lost; when it
// comes back all the same, its remains go.
func TestDeleteOnALostNode(t *testing.T) {
	w := newTwo(t)
	snap := w.snapshotRests(w.take(w.v.ID), "available")
	w.lost("a")
	w.eventually("failed over", func() bool { return w.replication("a@lvm") == "failed-over" })
	w.dropSnapshot(snap.ID)
	w.snapshotRests(snap.ID, "deleted")
	w.delete(w.v.ID)
	w.rests(w.v.ID, "deleted")
	w.trueCounters()
	w.a.SetDown(false)
	w.exec("UPDATE services SET heartbeat_at = now() WHERE host = 'a@lvm'")
	w.eventually("remains are taken away", func() bool { w.sweep(); return len(w.a.Volumes())+len(w.a.Snapshots()) == 0 })
}

// TestFrozen: what is on a frozen backend stays.
func TestFrozen(t *testing.T) {
	w := newTwo(t)
	snap := w.snapshotRests(w.take(w.v.ID), "available")
	freeze := func(frozen bool) {
		w.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FreezeBackends(ctx, "a", frozen) })
	}
	refused := func(do func(tx *db.Tx) error) {
		t.Helper()
		err := w.db.Tx(t.Context(), do)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "Modification operations are not allowed on frozen storage backends.") {
			t.Errorf("got %v", err)
		}
	}
	freeze(true)
	if s, err := w.db.Services(t.Context(), "a@lvm", ""); err != nil || !s[0].Disabled || *s[0].DisabledReason != "frozen" {
		t.Errorf("%+v, %v", s, err)
	}
	refused(func(tx *db.Tx) error {
		return tx.BeginSnapshotDelete(t.Context(), snap.ID, db.SnapshotDeleteBegin, "r")
	})
	refused(func(tx *db.Tx) error {
		return tx.InsertSnapshot(t.Context(), &db.Snapshot{ID: snap.ID[:35] + "0", VolumeID: w.v.ID, ProjectID: "p", UserID: "u"}, []string{"available"}, false, nil)
	})
	polls := w.a.Calls("stats")
	w.eventually("poll", func() bool { return w.a.Calls("stats") > polls+1 })
	if v := w.rests(w.request(1, nil).ID, "available"); *v.Host != onB {
		t.Errorf("placed on %s", *v.Host)
	}
	freeze(false)
	if s, err := w.db.Services(t.Context(), "a@lvm", ""); err != nil || s[0].Disabled || s[0].DisabledReason != nil {
		t.Errorf("%+v, %v", s, err)
	}
	w.dropSnapshot(snap.ID)
	w.snapshotRests(snap.ID, "deleted")
}
