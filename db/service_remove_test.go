package db_test

import (
	"slices"
	"testing"
	"time"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
)

// TestRemoveService: a service is gone with its pools when it is silent and nothing is
// on it; what was deleted stays to be read.
func TestRemoveService(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	v := s.placed(1)
	remove := func(host string) error {
		return s.RemoveService(t.Context(), db.DaemonVolume, host, time.Minute)
	}
	refused := func(why string, code fault.Code, says string) {
		t.Helper()
		if err := remove("node@lvm"); !fault.Is(err, code) || fault.MessageOf(err) != says {
			t.Errorf("%s: got %v, want %s", why, err, says)
		}
	}
	if err := remove("node"); !fault.Is(err, fault.NotFound) {
		t.Errorf("half a host: got %v", err)
	}
	refused("it lives", fault.Conflict, "cinder-volume on host node@lvm is up: stop it first, and wait until it counts as down.")
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := s.Pool().Exec(t.Context(), sql, args...)
		s.must(err)
	}
	exec("UPDATE services SET heartbeat_at = now() - interval '2 minutes'")
	refused("a volume is there", fault.Conflict, "On host node@lvm there are still volumes (1).")
	exec("UPDATE volumes SET status = 'deleted', deleted_at = now()")
	s.must(remove("node@lvm"))
	for _, table := range []string{"services", "pools"} {
		if left := dbtest.Rows(t, s.DB, "SELECT id::text FROM "+table); len(left) > 0 {
			t.Errorf("%s: left %v", table, left)
		}
	}
	if left := dbtest.Rows(t, s.DB, "SELECT id::text || ' on ' || host FROM volumes"); !slices.Equal(left, []string{v.ID + " on node@lvm#vg"}) {
		t.Errorf("deleted volumes: %v", left)
	}
	if err := remove("node@lvm"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a second time: got %v", err)
	}
}

// TestRemoveServiceKnowsEveryReference: a table that refers to pools or services goes
// with them, or is looked at before.
func TestRemoveServiceKnowsEveryReference(t *testing.T) {
	t.Parallel()
	refer := dbtest.Rows(t, dbtest.Open(t), `SELECT c.conrelid::regclass::text FROM pg_constraint c JOIN pg_class p ON p.oid = c.confrelid
		WHERE c.contype = 'f' AND c.confdeltype = 'a' AND p.relname IN ('pools', 'services') ORDER BY 1`)
	if known := []string{"groups", "snapshots", "volume_migrations", "volumes"}; !slices.Equal(refer, known) {
		t.Errorf("pools and services are referred to by %v, known are %v", refer, known)
	}
}
