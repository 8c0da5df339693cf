package scheduler_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

// askGroup asks for a group whose volumes may be of the default type.
func (r *rig) askGroup(change func(*db.Group)) string {
	r.Helper()
	ctx := r.Context()
	volume, err := r.db.VolumeTypeByName(ctx, "__DEFAULT__", "")
	if err != nil {
		r.Fatal(err)
	}
	kind, err := r.db.GroupTypeByName(ctx, db.ConsistencyType, true)
	if err != nil {
		r.Fatal(err)
	}
	g := db.Group{ID: uuid.NewString(), ProjectID: "p", UserID: "u", GroupTypeID: kind.ID, VolumeTypes: []string{volume.ID}, AvailabilityZone: "nova"}
	if change != nil {
		change(&g)
	}
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		if err := tx.InsertGroup(ctx, &g, nil); err != nil {
			return err
		}
		return tx.Enqueue(ctx, db.GroupCreateArgs{GroupID: g.ID, Request: "req-group"})
	})
	return g.ID
}

// groupRests waits until the group has the status; "deleted" means gone.
func (r *rig) groupRests(id, status string) (g db.Group) {
	r.Helper()
	r.eventually("group becomes "+status, func() bool {
		found, err := r.db.Group(r.Context(), id, "")
		g = found
		return err != nil && status == "deleted" || err == nil && g.Status == status
	})
	return g
}

// memberOf is an available volume of the group.
func (r *rig) memberOf(group string) string {
	r.Helper()
	return r.rests(r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.GroupID = &group }).ID, "available").ID
}

func (r *rig) dropGroup(id string) {
	r.Helper()
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.BeginGroupDelete(ctx, id, true, "req-delete") })
}

// takeGroup asks for a snapshot of the group.
func (r *rig) takeGroup(group string) string {
	r.Helper()
	gs := db.GroupSnapshot{ID: uuid.NewString(), ProjectID: "p", UserID: "u", GroupID: group, RequestID: "req-snapshot"}
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertGroupSnapshot(ctx, &gs, true, nil) })
	return gs.ID
}

func (r *rig) dropGroupSnapshot(id string) {
	r.Helper()
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.BeginGroupSnapshotDelete(ctx, id, "req-delete") })
}

func (r *rig) groupSnapshotRests(id, status string) (gs db.GroupSnapshot) {
	r.Helper()
	r.eventually("group snapshot becomes "+status, func() bool {
		found, err := r.db.GroupSnapshot(r.Context(), id, "")
		gs = found
		return err != nil && status == "deleted" || err == nil && gs.Status == status
	})
	return gs
}

func (r *rig) membersOf(groupSnapshot string) []db.Snapshot {
	r.Helper()
	members, err := r.db.SnapshotsOfGroupSnapshot(r.Context(), groupSnapshot)
	if err != nil {
		r.Fatal(err)
	}
	return members
}

func TestLifeOfAGroup(t *testing.T) {
	t.Parallel()
	a, b := nodetest.New("a").WithPool("lvm", "vg", 100*gib), nodetest.New("b").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, a, b)
	r.start()
	r.eventually("both pools", func() bool { pools, _ := r.db.Pools(t.Context()); return len(pools) == 2 })
	g := r.groupRests(r.askGroup(nil), "available")
	var volumes []string
	for range 3 {
		volumes = append(volumes, r.memberOf(g.ID))
	}
	node := map[string]*nodetest.Node{"a@lvm#vg": a, "b@lvm#vg": b}[*g.Host]
	for _, id := range volumes {
		if v := r.read(id); *v.Host != *g.Host {
			t.Errorf("volume on %s, group on %s", *v.Host, *g.Host)
		}
		node.Write(vg, id, "old "+id)
	}
	gs := r.groupSnapshotRests(r.takeGroup(g.ID), "available")
	members := r.membersOf(gs.ID)
	if len(members) != 3 || len(node.Snapshots()) != 3 {
		t.Fatal(members, node.Snapshots())
	}
	for _, s := range members {
		if s.Status != "available" || s.ClaimedBytes != gib || node.Snapshots()[s.ID].Content != "old "+s.VolumeID {
			t.Errorf("%+v %+v", s, node.Snapshots()[s.ID])
		}
		node.Write(vg, s.VolumeID, "new")
	}
	r.trueCounters()
	copied := r.copyGroup(g, gs.ID)
	for id, v := range node.Volumes() {
		if found, _ := r.db.Volume(t.Context(), id, ""); found.GroupID != nil && *found.GroupID == copied && !strings.HasPrefix(v.Content, "old ") {
			t.Errorf("%+v", v)
		}
	}
	if m, err := r.db.GroupMembers(t.Context(), copied, ""); err != nil || m.All != 3 {
		t.Error(m, err)
	}
	r.dropGroupSnapshot(gs.ID)
	r.groupSnapshotRests(gs.ID, "deleted")
	r.dropGroup(g.ID)
	r.dropGroup(copied)
	r.groupRests(g.ID, "deleted")
	r.groupRests(copied, "deleted")
	if len(node.Volumes()) != 0 || len(node.Snapshots()) != 0 {
		t.Error("left on the node", node.Volumes(), node.Snapshots())
	}
	r.trueCounters()
}

// copyGroup makes a group of a group snapshot, as the API does.
func (r *rig) copyGroup(from db.Group, snapshot string) string {
	r.Helper()
	id := r.askGroup(func(g *db.Group) {
		g.GroupSnapshotID, g.PoolID = &snapshot, from.PoolID
	})
	for _, s := range r.membersOf(snapshot) {
		r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.GroupID, v.SnapshotID = &id, &s.ID })
	}
	r.groupRests(id, "available")
	return id
}

func TestGroupWithoutAPool(t *testing.T) {
	t.Parallel()
	r := newRig(t, nodetest.New("a").WithPool("lvm", "vg", 10*gib))
	r.adjust = func(o *scheduler.Options) { o.Jobs.Grace = time.Millisecond }
	r.start()
	kind := r.tenantType(map[string]string{"volume_backend_name": "gold"})
	id := r.askGroup(func(g *db.Group) { g.VolumeTypes = append(g.VolumeTypes, kind) })
	r.groupRests(id, "error")
	if m := r.messages(); len(m) != 1 || !strings.Contains(m[0].UserMessage(), "CapabilitiesFilter refused 1 of 1 pool") {
		t.Error(m)
	}
	r.trueCounters()
	r.dropGroup(id)
	r.groupRests(id, "deleted")
	r.trueCounters()
}

// What a group type says is no wish about pools: Cinder's drivers read it, its
// scheduler does not.
func TestGroupTypeChoosesNoPool(t *testing.T) {
	t.Parallel()
	r := newRig(t, nodetest.New("a").WithPool("lvm", "vg", 100*gib))
	r.start()
	kind := db.GroupType{ID: uuid.NewString(), Name: "told", IsPublic: true,
		GroupSpecs: db.StringMap{"tier": "gold", "group_replication_enabled": "<is> True"}}
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertGroupType(ctx, &kind) })
	r.groupRests(r.askGroup(func(g *db.Group) { g.GroupTypeID = kind.ID }), "available")
}

func (r *rig) tenantType(specs db.StringMap) string {
	r.Helper()
	kind := db.VolumeType{ID: uuid.NewString(), Name: "gold", IsPublic: true, ExtraSpecs: specs}
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertVolumeType(ctx, &kind) })
	return kind.ID
}

// If one snapshot of a group cannot be taken, all are in error, and what the node
// took of the others goes away.
func TestGroupSnapshotIsAllOrNothing(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) { o.Jobs.Patience = 100 * time.Millisecond }
	r.start()
	g := r.groupRests(r.askGroup(nil), "available")
	first, _ := r.memberOf(g.ID), r.memberOf(g.ID)
	node.Lose(vg, first)
	gs := r.groupSnapshotRests(r.takeGroup(g.ID), "error")
	for _, member := range r.membersOf(gs.ID) {
		if member.Status != "error" || member.ClaimedBytes != 0 {
			t.Errorf("%+v", member)
		}
	}
	if m := r.messages(); len(m) != 1 || !strings.Contains(m[0].UserMessage(), "create snapshot:Snapshot failed to create.") {
		t.Error(m)
	}
	r.eventually("remains go", func() bool { r.sweep(); return len(node.Snapshots()) == 0 })
	r.trueCounters()
	r.dropGroupSnapshot(gs.ID)
	r.groupSnapshotRests(gs.ID, "deleted")
	r.trueCounters()
}

// Snapshots of one moment are refused while somebody may write, where the group
// type asks for them, and only there.
func TestGroupSnapshotWhileAttached(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.start()
	plain := db.GroupType{ID: uuid.NewString(), Name: "plain", IsPublic: true}
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertGroupType(ctx, &plain) })
	for kind, status := range map[string]string{"": "error", plain.ID: "available"} {
		g := r.groupRests(r.askGroup(func(g *db.Group) {
			if kind != "" {
				g.GroupTypeID = kind
			}
		}), "available")
		v := r.read(r.memberOf(g.ID))
		r.memberOf(g.ID)
		r.attachment(v, node, db.AttachAttached, `{}`, true)
		gs := r.groupSnapshotRests(r.takeGroup(g.ID), status)
		for _, member := range r.membersOf(gs.ID) {
			if member.Status != status {
				t.Errorf("%s: %+v", kind, member)
			}
		}
	}
	r.trueCounters()
}

// A pool that has room for one more snapshot, but not for one of each, takes none.
func TestGroupSnapshotWithoutRoom(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 3*gib)
	r := newRig(t, node)
	r.start()
	g := r.groupRests(r.askGroup(nil), "available")
	r.memberOf(g.ID)
	r.memberOf(g.ID)
	gs := r.groupSnapshotRests(r.takeGroup(g.ID), "error")
	if len(node.Snapshots()) != 0 {
		t.Error(node.Snapshots())
	}
	for _, member := range r.membersOf(gs.ID) {
		if member.ClaimedBytes != 0 {
			t.Errorf("%+v", member)
		}
	}
	r.trueCounters()
}

// A node that goes silent in a deletion leaves group and group snapshot in
// error_deleting, and both go on when it is back.
func TestGroupDeletionGoesOn(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) { o.Jobs.Patience = 100 * time.Millisecond }
	r.start()
	g := r.groupRests(r.askGroup(nil), "available")
	r.memberOf(g.ID)
	r.memberOf(g.ID)
	gs := r.takeGroup(g.ID)
	r.groupSnapshotRests(gs, "available")
	node.SetDown(true)
	r.dropGroupSnapshot(gs)
	r.groupSnapshotRests(gs, "error_deleting")
	node.SetDown(false)
	r.eventually("the snapshot's deletion goes on", func() bool {
		r.sweep()
		_, err := r.db.GroupSnapshot(t.Context(), gs, "")
		return fault.Is(err, fault.NotFound)
	})
	node.SetDown(true)
	r.dropGroup(g.ID)
	r.groupRests(g.ID, "error_deleting")
	node.SetDown(false)
	r.eventually("the group's deletion goes on", func() bool {
		r.sweep()
		_, err := r.db.Group(t.Context(), g.ID, "")
		return fault.Is(err, fault.NotFound)
	})
	r.trueCounters()
}

// What has lost its job gets another; what an administrator has reset has not.
func TestLostGroupJobs(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	stop := r.start()
	// lost does something while no scheduler runs, and loses what jobs it left.
	lost := func(do func()) {
		stop()
		do()
		if _, err := r.db.Pool().Exec(t.Context(), "DELETE FROM river_job"); err != nil {
			t.Fatal(err)
		}
		stop = r.start()
	}
	g := r.groupRests(r.askGroup(nil), "available")
	reset := r.groupRests(r.askGroup(nil), "available")
	volume := r.memberOf(g.ID)
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.MoveGroup(ctx, reset.ID, db.ResetTo("deleting"), db.ByAdministrator, nil)
		return err
	})
	var gs, second string
	lost(func() { gs, second = r.takeGroup(g.ID), r.askGroup(nil) })
	r.sweep()
	r.groupSnapshotRests(gs, "available")
	r.groupRests(second, "available")
	lost(func() { r.dropGroupSnapshot(gs) })
	r.sweep()
	r.groupSnapshotRests(gs, "deleted")
	lost(func() { r.dropGroup(g.ID) })
	r.sweep()
	r.groupRests(g.ID, "deleted")
	if _, err := r.db.Volume(t.Context(), volume, ""); err == nil {
		t.Error("its volume is left")
	}
	r.groupRests(reset.ID, "deleting")
	r.trueCounters()
}
