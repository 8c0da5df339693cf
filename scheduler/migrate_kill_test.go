package scheduler_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler/nodetest"
)

// TestKilledWhileMigrating moves volumes to and fro, and puts them to use or changes
// them meanwhile, while schedulers are killed and nodes fail. At the end each volume
// is in one pool, with what was written to it.
func TestKilledWhileMigrating(t *testing.T) {
	t.Parallel()
	a, b := nodetest.New("a").WithPool("lvm", "vg", 60*gib), nodetest.New("b").WithPool("lvm", "vg", 60*gib)
	r, chance := newKillRig(t, a, b)
	var ids []string
	for range 8 {
		made := r.rests(r.request(1, nil).ID, "available")
		map[string]*nodetest.Node{onA: a, onB: b}[*made.Host].Write(vg, made.ID, made.ID)
		ids = append(ids, made.ID)
	}
	for range 12 {
		r.disturb(chance, a, b)
		for range 8 {
			r.moveOrUse(chance, ids[chance.IntN(len(ids))])
		}
		time.Sleep(time.Duration(chance.IntN(200)) * time.Millisecond) // to be somewhere in the middle
		r.kill()
	}
	for _, node := range []*nodetest.Node{a, b} {
		node.Mend()
		node.SetSlow(0)
	}
	r.settled(ids)
	for _, id := range ids {
		v, err := r.db.Volume(t.Context(), id, "")
		if fault.Is(err, fault.NotFound) {
			continue
		}
		got := map[string]*nodetest.Node{onA: a, onB: b}[*v.Host].Volumes()[id].Content
		if err != nil || got != id {
			t.Errorf("volume %s holds %q: %v", id, got, err)
		}
	}
	t.Logf("%v", dbtest.Rows(t, r.db, "SELECT reason || ' ' || count(*) FROM volume_history GROUP BY reason ORDER BY 1"))
}

// moveOrUse is mostly a migration, and now and then what ends one.
func (r *rig) moveOrUse(chance *rand.Rand, id string) {
	r.Helper()
	ctx := r.Context()
	v, err := r.db.Volume(ctx, id, "")
	if err != nil {
		return
	}
	err = r.db.Tx(ctx, func(tx *db.Tx) error {
		switch chance.IntN(10) {
		case 0:
			return tx.BeginExtend(ctx, v, db.ExtendBegin, v.SizeGiB+1, "req-extend", nil)
		case 1, 2: // as a server that attaches and detaches
			return r.use(ctx, tx, id)
		}
		return tx.BeginMigrate(ctx, id, []string{onA, onB}[chance.IntN(2)], chance.IntN(2) == 0, "req-migrate")
	})
	if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
		r.Fatal(err)
	}
}

func (r *rig) use(ctx context.Context, tx *db.Tx, id string) error {
	if _, err := tx.MoveVolume(ctx, id, db.Hold, "", map[string]any{"held": true}); err != nil {
		return err
	}
	return tx.Release(ctx, id, db.Unreserve)
}
