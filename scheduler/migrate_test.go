package scheduler_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/jobs"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

const (
	onA = "a@lvm#vg"
	onB = "b@lvm#vg"
)

// two is a cloud of two nodes, with a volume that is on the first.
type two struct {
	*rig
	a, b *nodetest.Node
	v    db.Volume
	stop func()
}

func newTwo(t *testing.T) *two { return newTwoWith(t, func(*scheduler.Options) {}) }

func newTwoWith(t *testing.T, adjust func(*scheduler.Options)) *two {
	t.Parallel()
	w := &two{a: nodetest.New("a").WithPool("lvm", "vg", 100*gib), b: nodetest.New("b").WithPool("lvm", "vg", 100*gib)}
	w.rig = newRig(t, w.a, w.b)
	w.adjust = func(o *scheduler.Options) {
		o.DeadAfter = time.Second
		o.Jobs.FirstWait, o.Jobs.Patience = 100*time.Millisecond, 300*time.Millisecond
		adjust(o)
	}
	w.stop = w.start()
	w.v = w.made()
	w.a.Write(vg, w.v.ID, "what is on it")
	return w
}

// made gives a volume on the first node.
func (w *two) made() db.Volume {
	w.Helper()
	for range 20 {
		v := w.rests(w.request(2, nil).ID, "available")
		if *v.Host == onA {
			return v
		}
		w.delete(v.ID)
		w.rests(v.ID, "deleted")
	}
	w.Fatal("no volume came to the first node")
	return db.Volume{}
}

func (w *two) migrate(wanted string, lock bool) {
	w.Helper()
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginMigrate(ctx, w.v.ID, wanted, lock, "req-migrate")
	})
}

func (w *two) exec(sql string, args ...any) {
	w.Helper()
	if _, err := w.db.Pool().Exec(w.Context(), sql, args...); err != nil {
		w.Fatal(err)
	}
}

// ends waits for the end of the migration.
func (w *two) ends(status string) db.Volume {
	w.Helper()
	var v db.Volume
	w.eventually("migration "+status, func() bool {
		v = w.read(w.v.ID)
		_, err := w.db.MigrationOf(w.Context(), w.v.ID)
		return v.MigrationStatus != nil && *v.MigrationStatus == status && fault.Is(err, fault.NotFound)
	})
	return v
}

// is checks that there is one copy, with its content, and all counters are true.
func (w *two) is(host string) {
	w.Helper()
	there, gone := w.a, w.b
	if host == onB {
		there, gone = w.b, w.a
	}
	w.eventually("no copy elsewhere", func() bool {
		w.sweep()
		_, left := gone.Volumes()[w.v.ID]
		return !left
	})
	v := w.read(w.v.ID)
	if got := there.Volumes()[v.ID]; *v.Host != host || got.Content != "what is on it" || got.Bytes != 2*gib {
		w.Errorf("on %s: %+v", *v.Host, got)
	}
	w.trueCounters()
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	for name, lock := range map[string]bool{"locked": true, "open": false} {
		t.Run(name, func(t *testing.T) {
			w := newTwo(t)
			w.b.SetSlow(300 * time.Millisecond)
			w.migrate("b@lvm", lock)
			w.eventually("the copy", func() bool { return w.b.Calls("move_in") > 0 })
			v, want := w.read(w.v.ID), "available"
			if lock {
				want = "maintenance"
			}
			if v.Status != want || *v.MigrationStatus != "migrating" || *v.Host != onA {
				t.Errorf("under way: %s, %s, on %s", v.Status, *v.MigrationStatus, *v.Host)
			}
			if l := w.a.Loans()[v.ID]; l.Reader != "b" || l.Generation != v.Generation {
				t.Errorf("lent: %+v", l)
			}
			w.trueCounters()
			v = w.ends("success")
			if v.Status != "available" || v.AvailabilityZone != "nova" || v.ServiceID == nil || v.LaunchedAt == nil {
				t.Errorf("%+v", v)
			}
			w.is(onB)
			w.migrate(onA, lock) // and back, where its remains were
			w.ends("success")
			w.is(onA)
		})
	}
}

func TestMigrateRefused(t *testing.T) {
	w := newTwo(t)
	group := uuid.NewString()
	refused := func(why string) {
		t.Helper()
		err := w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.BeginMigrate(t.Context(), w.v.ID, onB, false, "r") })
		if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want %s", err, why)
		}
	}
	for sql, why := range map[string]string{
		"status = 'error'":               "its status is error",
		"migration_status = 'migrating'": "it is being migrated",
		"replication_status = 'enabled'": "it is replicated",
		"group_id = '" + group + "'":     "it is part of a group",
	} {
		column, _, _ := strings.Cut(sql, " ")
		before := map[string]string{"status": "'available'"}[column]
		if before == "" {
			before = "NULL"
		}
		w.exec("UPDATE volumes SET " + sql)
		refused(why)
		w.exec("UPDATE volumes SET " + column + " = " + before)
	}
	snap := w.snapshotRests(w.take(w.v.ID), "available")
	refused("it has snapshots")
	w.dropSnapshot(snap.ID)
	w.snapshotRests(snap.ID, "deleted")
	for _, host := range []string{onA, "a@lvm"} {
		err := w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.BeginMigrate(t.Context(), w.v.ID, host, false, "r") })
		if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "it is there already") {
			t.Errorf("to %s: %v", host, err)
		}
	}
	if n := w.a.Calls("lend") + w.b.Calls("move_in"); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// TestMigrateNowhere: what does not fit is refused before any byte moves, and
// told.
func TestMigrateNowhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wanted string
		change func(*two)
		told   string
	}{
		"no room":      {onB, func(w *two) { w.b.Change(vg, func(p *rpc.Pool) { p.TotalBytes = gib }) }, "CapacityFilter refused 1 of 1 pool"},
		"no such pool": {"b@lvm#other", func(*two) {}, "there is no such pool"},
		"wrong type": {onB, func(w *two) {
			k := w.kind("only-a", db.StringMap{"volume_backend_name": "other"})
			w.exec("UPDATE volumes SET volume_type_id = $1", k.ID)
			w.exec("UPDATE quota_usages SET resource = replace(resource, '__DEFAULT__', 'only-a')")
		}, "CapabilitiesFilter refused 1 of 1 pool"},
		"frozen": {onB, func(w *two) {
			w.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FreezeBackends(ctx, "b@lvm", true) })
		}, "ServiceFilter refused 1 of 1 pool"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTwo(t)
			c.change(w)
			polls := w.b.Calls("stats")
			w.eventually("poll", func() bool { return w.b.Calls("stats") > polls+1 })
			w.migrate(c.wanted, true)
			if v := w.ends("error"); v.Status != "available" {
				t.Errorf("%+v", v)
			}
			w.is(onA)
			if m := w.messages(); len(m) != 1 || !strings.Contains(m[0].UserMessage(), "migrate volume:") || !strings.Contains(m[0].UserMessage(), c.told) {
				t.Errorf("told %+v", m)
			}
			if n := w.a.Calls("lend") + w.b.Calls("move_in"); n != 0 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// TestMigrateThatFails: the volume stays, whatever a node says.
func TestMigrateThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hurt func(w *two)
		told string
	}{
		"damaged": {func(w *two) {
			w.b.Break(nodetest.Fault{Method: "move_in", Err: fault.New(fault.Conflict, "the digest differs")})
		}, "the digest differs"},
		"full": {func(w *two) {
			w.b.Break(nodetest.Fault{Method: "move_in", Err: fault.New(fault.NoSpace, "it is full")})
		}, "it is full"},
		"not there": {func(w *two) {
			w.b.Break(nodetest.Fault{Method: "move_in", Err: fault.New(fault.Unsupported, "its name is taken there")})
		}, "its name is taken there"},
		"source gone": {func(w *two) {
			w.a.Break(nodetest.Fault{Method: "lend", Err: fault.New(fault.NotFound, "there is none")})
		}, "there is none"},
		"source down":  {func(w *two) { w.a.SetDown(true) }, "does not answer"},
		"target down":  {func(w *two) { w.b.Break(nodetest.Fault{Method: "move_in", Err: fault.New(fault.Unavailable, "no")}) }, "does not answer"},
		"both clearly": {func(w *two) { w.b.Break(nodetest.Fault{Method: "destroy", Err: fault.New(fault.Unavailable, "no")}) }, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTwo(t)
			c.hurt(w)
			w.migrate(onB, true)
			if v := w.ends("error"); v.Status != "available" {
				t.Errorf("%+v", v)
			}
			if m := w.messages(); len(m) != 1 || !strings.Contains(m[0].UserMessage(), c.told) {
				t.Errorf("told %+v", m)
			}
			w.a.Mend()
			w.b.Mend()
			w.is(onA)
		})
	}
}

// TestMigrationOfTwoJobs: a job that has read a migration before another job of it
// made a step ends nothing, and one whose migration is gone makes no step.
func TestMigrationOfTwoJobs(t *testing.T) {
	w := newTwo(t)
	w.stop()
	w.migrate(onB, true)
	read, err := w.db.MigrationOf(t.Context(), w.v.ID)
	if err != nil {
		t.Fatal(err)
	}
	pools, err := w.db.Pools(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	to := pools[slices.IndexFunc(pools, func(p db.PoolService) bool { return p.Name == onB })].ID
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ClaimMigration(ctx, w.read(w.v.ID), to, 2*gib, false)
		return err
	})
	err = w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.YieldMigration(t.Context(), read) })
	if v := w.read(w.v.ID); !fault.Is(err, fault.Conflict) || *v.MigrationStatus != "migrating" {
		t.Errorf("%v, and the volume is %s", err, *v.MigrationStatus)
	}
	w.tx(func(ctx context.Context, tx *db.Tx) error { return tx.DropMigration(ctx, w.v.ID) })
	err = w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.ClearedMigration(t.Context(), w.read(w.v.ID)) })
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a step without a migration: %v", err)
	}
	w.trueCounters()
}

// TestMigrateYields: a volume that nobody has locked may be put to use, and then
// stays where it is.
func TestMigrateYields(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(w *two){
		"attached": func(w *two) { w.attachment(w.v, w.a, "attached", `{}`, false) },
		"extended": func(w *two) { w.extend(w.v.ID, 3) },
		"deleted":  func(w *two) { w.delete(w.v.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTwo(t)
			w.b.SetSlow(300 * time.Millisecond)
			w.migrate(onB, false)
			w.eventually("the copy", func() bool { return w.b.Calls("move_in") > 0 })
			use(w)
			w.eventually("the migration ends", func() bool {
				_, err := w.db.MigrationOf(t.Context(), w.v.ID)
				return fault.Is(err, fault.NotFound)
			})
			if name == "deleted" {
				w.rests(w.v.ID, "deleted")
			} else if v := w.read(w.v.ID); *v.Host != onA || *v.MigrationStatus != "error" {
				t.Errorf("%+v", v)
			}
			w.eventually("nothing is left", func() bool { w.sweep(); return len(w.b.Volumes()) == 0 })
			w.trueCounters()
		})
	}
}

// TestMigrateOutlives: another scheduler goes on with the same copy; a node that
// was started anew begins again.
func TestMigrateOutlives(t *testing.T) {
	w := newTwo(t)
	w.b.SetSlow(1500 * time.Millisecond)
	w.migrate(onB, true)
	w.eventually("the copy", func() bool { return w.b.Calls("move_in") > 0 })
	w.stop()
	w.lose() // its job too
	w.sweep()
	w.b.SetSlow(0)
	w.b.Forget()
	w.start()
	w.ends("success")
	w.is(onB)
}

// TestMigrateLeavesAnOrphan: the old node is gone when the row has changed. Its copy
// is taken away when it is back.
func TestMigrateLeavesAnOrphan(t *testing.T) {
	w := newTwo(t)
	w.a.Break(nodetest.Fault{Method: "destroy", Err: fault.New(fault.Unavailable, "no power")})
	w.migrate(onB, true)
	w.ends("success")
	if _, left := w.a.Volumes()[w.v.ID]; !left {
		t.Error("the old copy is gone though the node was")
	}
	w.a.Mend()
	w.is(onB)
}

// TestOnlyCopyStays: after a database was restored from a copy that is older than the
// move, the volume is in another pool than its row says.
func TestOnlyCopyStays(t *testing.T) {
	w := newTwo(t)
	before := w.read(w.v.ID)
	w.migrate(onB, true)
	w.ends("success")
	w.is(onB)
	w.exec("DELETE FROM volume_history WHERE volume_id = $1", before.ID)
	w.exec("UPDATE volumes SET pool_id = $2, host = $3, generation = $4 WHERE id = $1", before.ID, before.PoolID, before.Host, before.Generation)
	for range 20 {
		w.sweep()
	}
	if got := w.b.Volumes()[w.v.ID]; got.Content != "what is on it" {
		t.Errorf("what was the volume is now %+v", got)
	}
}

// TestMigrateClearsRemains: what an earlier try has left is not taken for the
// volume.
func TestMigrateClearsRemains(t *testing.T) {
	w := newTwo(t)
	w.b.Put(vg, w.v.ID, 2*gib)
	w.b.Write(vg, w.v.ID, "old")
	w.migrate(onB, true)
	w.ends("success")
	w.is(onB)
}

func TestRetypeMoves(t *testing.T) {
	w := newTwo(t)
	w.b.Change(vg, func(p *rpc.Pool) { p.Capabilities = map[string]string{"volume_backend_name": "fast"} })
	polls := w.b.Calls("stats")
	w.eventually("poll", func() bool { return w.b.Calls("stats") > polls+1 })
	fast := w.kind("fast", db.StringMap{"volume_backend_name": "fast"})
	w.b.SetSlow(200 * time.Millisecond)
	w.retype(w.v.ID, fast, db.MigrateOnDemand)
	w.eventually("the copy", func() bool { return w.b.Calls("move_in") > 0 })
	if v := w.read(w.v.ID); v.Status != "retyping" || v.VolumeType != "__DEFAULT__" {
		t.Errorf("under way: %+v", v)
	}
	w.trueCounters() // under both types
	if v := w.ends("success"); v.Status != "available" || v.VolumeType != "fast" {
		t.Errorf("%+v", v)
	}
	w.is(onB)
	// No pool but the one it left serves this one, and that has no room.
	slow := w.kind("slow", db.StringMap{"volume_backend_name": "lvm"})
	w.a.Change(vg, func(p *rpc.Pool) { p.TotalBytes = gib })
	polls = w.a.Calls("stats")
	w.eventually("poll", func() bool { return w.a.Calls("stats") > polls+1 })
	w.retype(w.v.ID, slow, db.MigrateOnDemand)
	if v := w.ends("error"); v.Status != "available" || v.VolumeType != "fast" {
		t.Errorf("%+v", v)
	}
	if m := w.messages(); len(m) != 1 || !strings.Contains(m[0].UserMessage(), "retype volume:") || !strings.Contains(m[0].UserMessage(), "keeps its type: it could not be moved") {
		t.Errorf("told %+v", m)
	}
	w.is(onB)
}

// TestMigrateCancelled: an administrator ends the copy, and what came of it goes.
func TestMigrateCancelled(t *testing.T) {
	w := newTwo(t)
	w.b.SetSlow(5 * time.Second) // a job looks for more than a second each time
	w.migrate(onB, true)
	w.eventually("the copy", func() bool { return w.b.Calls("move_in") > 0 })
	w.b.SetSlow(0)
	if err := jobs.Cancel(t.Context(), w.db, w.jobAbout(w.v.ID).ID); err != nil {
		t.Fatal(err)
	}
	if v := w.ends("error"); v.Status != "available" {
		t.Errorf("%+v", v)
	}
	if m := w.messages(); len(m) != 1 || !strings.Contains(m[0].UserMessage(), "an administrator has cancelled it") {
		t.Errorf("told %+v", m)
	}
	w.is(onA)
}
