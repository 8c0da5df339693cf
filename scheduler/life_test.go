package scheduler_test

import (
	"testing"

	"clinker/scheduler/nodetest"
)

func TestLifeOfAVolume(t *testing.T) {
	t.Parallel()
	node := nodetest.New("node1").WithPool("lvm", "vg", 10*gib)
	r := newRig(t, node)
	r.start()
	v := r.request(2, nil)
	made := r.rests(v.ID, "available")
	if made.Host == nil || *made.Host != "node1@lvm#vg" || made.LaunchedAt == nil || made.ClaimedBytes != 2*gib {
		t.Fatalf("made %+v", made)
	}
	if got := node.Volumes()[v.ID]; got != (nodetest.Volume{Pool: "lvm#vg", Bytes: 2 * gib}) {
		t.Fatalf("on the node: %+v", got)
	}
	r.extend(v.ID, 5)
	if grown := r.rests(v.ID, "available"); grown.SizeGiB != 5 || grown.TargetSizeGiB != nil || grown.ClaimedBytes != 5*gib {
		t.Fatalf("grown %+v", grown)
	}
	if got := node.Volumes()[v.ID]; got.Bytes != 5*gib {
		t.Fatalf("on the node: %+v", got)
	}
	r.delete(v.ID)
	r.rests(v.ID, "deleted")
	if left := node.Volumes(); len(left) != 0 {
		t.Fatalf("left on the node: %v", left)
	}
	set, err := r.db.QuotaSet(t.Context(), "p", []string{"volumes", "gigabytes"}, nil)
	if err != nil || set["volumes"].InUse != 0 || set["gigabytes"].InUse != 0 {
		t.Fatalf("quota %v, %v", set, err)
	}
	pools, err := r.db.Pools(t.Context())
	if err != nil || pools[0].AllocatedBytes != 0 || pools[0].VolumeCount != 0 {
		t.Fatalf("pool %+v, %v", pools[0], err)
	}
}
