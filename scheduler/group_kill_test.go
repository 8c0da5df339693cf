package scheduler_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler/nodetest"
)

// TestGroupsKilledAtAnyInstant: whatever is killed when, groups and their
// snapshots come to rest, every counter is right, and the node has what the
// database says.
func TestGroupsKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 200*gib)
	r, chance := newKillRig(t, node)
	var groups, snapshots []string
	for range 4 {
		id := r.groupRests(r.askGroup(nil), "available").ID
		r.memberOf(id)
		r.memberOf(id)
		groups = append(groups, id)
	}
	for range 6 {
		r.disturb(chance, node)
		if chance.IntN(4) == 0 {
			node.Break(nodetest.Fault{Method: "snapshot_group", After: true, Err: fault.New(fault.Timeout, "lost"), Times: 2})
		}
		for range 12 {
			groups, snapshots = r.anyGroup(chance, groups, snapshots)
		}
		// Not to wait for anything, but to be somewhere in the middle.
		time.Sleep(time.Duration(chance.IntN(150)) * time.Millisecond)
		r.kill()
	}
	node.Mend()
	node.SetSlow(0)
	r.groupsSettled(node)
	t.Logf("%d groups and %d snapshots of them asked for", len(groups), len(snapshots))
}

// anyGroup is one request of a user about groups. Much of it is refused.
func (r *rig) anyGroup(chance *rand.Rand, groups, snapshots []string) ([]string, []string) {
	r.Helper()
	if chance.IntN(12) == 0 {
		return append(groups, r.askGroup(nil)), snapshots
	}
	id := groups[chance.IntN(len(groups))]
	try := func(fn func(ctx context.Context, tx *db.Tx) error) bool {
		err := r.db.Tx(r.Context(), func(tx *db.Tx) error { return fn(r.Context(), tx) })
		if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
			r.Fatal(err)
		}
		return err == nil
	}
	switch chance.IntN(12) {
	case 0:
		if try(func(ctx context.Context, tx *db.Tx) error { return tx.HoldGroupForVolume(ctx, id) }) {
			r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.GroupID = &id })
		}
	case 1, 2, 3, 4, 5, 6:
		gs := db.GroupSnapshot{ID: uuid.NewString(), ProjectID: "p", UserID: "u", GroupID: id}
		if try(func(ctx context.Context, tx *db.Tx) error { return tx.InsertGroupSnapshot(ctx, &gs, true, nil) }) {
			snapshots = append(snapshots, gs.ID)
		}
	case 7, 8, 9, 10:
		if len(snapshots) > 0 {
			gs := snapshots[chance.IntN(len(snapshots))]
			try(func(ctx context.Context, tx *db.Tx) error { return tx.BeginGroupSnapshotDelete(ctx, gs, "req") })
		}
	case 11:
		try(func(ctx context.Context, tx *db.Tx) error { return tx.BeginGroupDelete(ctx, id, true, "req") })
	}
	return groups, snapshots
}

// groupsSettled waits for rest, and holds the database against itself and the node.
func (r *rig) groupsSettled(node *nodetest.Node) {
	r.Helper()
	r.eventually("all rests", func() bool {
		moving := dbtest.Rows(r, r.db, `SELECT status FROM (SELECT status, deleted_at FROM volumes UNION ALL SELECT status, deleted_at FROM snapshots
			UNION ALL SELECT status, deleted_at FROM groups UNION ALL SELECT status, deleted_at FROM group_snapshots) AS rows
			WHERE deleted_at IS NULL AND status IN ('creating', 'deleting', 'error_deleting')`)
		if len(moving) > 0 {
			r.sweep()
		}
		return len(moving) == 0
	})
	r.sweep() // the node may have made late what was given up
	r.trueCounters()
	var has []string
	for id := range node.Volumes() {
		has = append(has, id)
	}
	for id := range node.Snapshots() {
		has = append(has, id)
	}
	slices.Sort(has)
	want := dbtest.Rows(r, r.db, `SELECT id::text FROM (SELECT id FROM volumes WHERE deleted_at IS NULL AND pool_id IS NOT NULL
		UNION ALL SELECT id FROM snapshots WHERE deleted_at IS NULL AND claimed_bytes > 0) AS rows ORDER BY 1`)
	if !slices.Equal(has, want) {
		r.Errorf("the node has\n%v, the database\n%v", has, want)
	}
	torn := dbtest.Rows(r, r.db, `SELECT g.status || ' with a snapshot ' || s.status FROM group_snapshots g JOIN snapshots s ON s.group_snapshot_id = g.id
		WHERE g.deleted_at IS NULL AND s.deleted_at IS NULL AND s.status <> g.status`)
	if len(torn) > 0 {
		r.Error(torn)
	}
}
