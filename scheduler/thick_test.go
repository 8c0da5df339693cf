package scheduler_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

// TestThickInThinPool: provisioning:type=thick promises nothing that is promised already,
// neither when the pool is chosen, nor when its room is claimed, nor when a volume grows.
func TestThickInThinPool(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 10*gib)
	node.Change(vg, func(p *rpc.Pool) { p.Thin, p.MaxOverSubscriptionRatio, p.FreeBytes = true, 20, 10*gib })
	r := newRig(t, node)
	r.start()
	thick := r.kind("thick", db.StringMap{"provisioning:type": "thick"})
	ofType := func(v *db.Volume, _ *db.VolumeCreateArgs) { v.VolumeTypeID, v.VolumeType = thick.ID, thick.Name }
	first := r.rests(r.request(6, ofType).ID, "available")
	r.rests(r.request(6, ofType).ID, "error")
	r.extend(first.ID, 11)
	r.rests(first.ID, "available")
	if v := r.read(first.ID); v.SizeGiB != 6 {
		t.Errorf("a thick volume grew to %d GiB in a pool of 10", v.SizeGiB)
	}
	pools, err := r.db.Pools(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting := db.Volume{ID: uuid.NewString(), ProjectID: "p", UserID: "u", SizeGiB: 6, Status: "creating", Generation: 1,
		VolumeTypeID: thick.ID, VolumeType: thick.Name, AvailabilityZone: "nova"} // nobody works on it
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertVolume(ctx, &waiting) })
	for _, asks := range []bool{true, false} {
		if fits, err := r.db.Claim(t.Context(), waiting.ID, pools[0].ID, 6*gib, asks); err != nil || fits == asks {
			t.Errorf("a claim of 6 GiB beside 6 of 10, thick %v: %v, %v", asks, fits, err)
		}
	}
}
