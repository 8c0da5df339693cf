package volumed

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
)

// kept gives the first byte of a snapshot, 0 when there is none.
func (r *rig) kept(snapshot string) byte {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, backend.SnapshotName(snapshot)))
	if err != nil {
		return 0
	}
	return data[0]
}

// pair is two volumes, filled, and the members of a snapshot of both.
func (r *rig) pair(generation int64) (volumes [2]string, members []*rpc.Member) {
	r.t.Helper()
	for i := range volumes {
		volumes[i] = r.volume()
		r.fill(volumes[i], byte('a'+i))
		members = append(members, &rpc.Member{SnapshotID: uuid.NewString(), Generation: generation, Pool: poolName, VolumeID: volumes[i]})
	}
	return volumes, members
}

func TestSnapshotGroup(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	volumes, members := r.pair(1)
	f := fence(uuid.NewString(), 1)
	for range 2 { // the second time its result is told
		r.done(r.SnapshotGroup(ctx, f, members, true))
		r.fill(volumes[0], 'x')
	}
	if r.kept(members[0].SnapshotID) != 'a' || r.kept(members[1].SnapshotID) != 'b' {
		t.Error("they are not as the volumes were")
	}
	// A member is a snapshot like any other, with a fence of its own.
	r.done(r.DestroySnapshot(ctx, fence(members[0].SnapshotID, 2), poolName))
	late := fence(f.ResourceID, 2)
	if o, err := r.SnapshotGroup(ctx, late, members, false); err == nil && !fault.Is(o.Failure, fault.Stale) || err != nil && !fault.Is(err, fault.Stale) {
		t.Errorf("a snapshot that was taken away came back: %v %v", o, err)
	}
	r.done(r.SnapshotGroup(ctx, fence(uuid.NewString(), 1), nil, true))
}

// What an interrupted attempt has left is of another moment.
func TestSnapshotGroupBeginsAnew(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	volumes, members := r.pair(3)
	r.done(r.Snapshot(ctx, fence(members[0].SnapshotID, 3), poolName, volumes[0]))
	r.fill(volumes[0], 'n')
	r.fill(volumes[1], 'n')
	r.done(r.SnapshotGroup(ctx, fence(uuid.NewString(), 1), members, true))
	if r.kept(members[0].SnapshotID) != 'n' || r.kept(members[1].SnapshotID) != 'n' {
		t.Error("the snapshots are of different moments")
	}
}

// Together means of one moment: not while somebody can write.
func TestSnapshotGroupTogether(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	volumes, members := r.pair(1)
	a := uuid.NewString()
	r.attach(volumes[1], a, "host1")
	o, err := r.SnapshotGroup(ctx, fence(uuid.NewString(), 1), members, true)
	if err != nil || !fault.Is(o.Failure, fault.Unsupported) || r.kept(members[0].SnapshotID) != 0 {
		t.Fatalf("taken while it can be written to: %v %v", o, err)
	}
	r.done(r.SnapshotGroup(ctx, fence(uuid.NewString(), 1), members[1:], true)) // one is of one moment
	r.done(r.SnapshotGroup(ctx, fence(uuid.NewString(), 1), members, false))
	r.must(r.Revoke(ctx, fence(a, 2), poolName, volumes[1]))
	r.done(r.SnapshotGroup(ctx, fence(uuid.NewString(), 1), members, true))
}

func TestSnapshotGroupRefusals(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	volumes, members := r.pair(1)
	group := uuid.NewString()
	for name, m := range map[string]rpc.Member{
		"no uuid":           {SnapshotID: "x", Generation: 1, Pool: poolName, VolumeID: volumes[0]},
		"no volume":         {SnapshotID: uuid.NewString(), Generation: 1, Pool: poolName, VolumeID: "../x"},
		"no generation":     {SnapshotID: uuid.NewString(), Pool: poolName, VolumeID: uuid.NewString()},
		"the group itself":  {SnapshotID: group, Generation: 1, Pool: poolName, VolumeID: uuid.NewString()},
		"the volume itself": {SnapshotID: volumes[0], Generation: 1, Pool: poolName, VolumeID: volumes[0]},
		"twice":             {SnapshotID: members[0].SnapshotID, Generation: 1, Pool: poolName, VolumeID: uuid.NewString()},
		"one volume twice":  {SnapshotID: uuid.NewString(), Generation: 1, Pool: poolName, VolumeID: volumes[0]},
	} {
		if _, err := r.SnapshotGroup(ctx, fence(group, 1), append(members[:1:1], &m), false); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	elsewhere := rpc.Member{SnapshotID: uuid.NewString(), Generation: 1, Pool: "no#pool", VolumeID: volumes[0]}
	if _, err := r.SnapshotGroup(ctx, fence(group, 1), []*rpc.Member{&elsewhere}, false); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such pool: %v", err)
	}
	// A volume that is not there: none is of use.
	gone := rpc.Member{SnapshotID: uuid.NewString(), Generation: 1, Pool: poolName, VolumeID: uuid.NewString()}
	if o, err := r.SnapshotGroup(ctx, fence(group, 1), append(members[:1:1], &gone), false); err != nil || !fault.Is(o.Failure, fault.NotFound) {
		t.Errorf("no such volume: %v %v", o, err)
	}
}
