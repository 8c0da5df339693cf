package db_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"clinker/db"
	"clinker/internal/fault"
)

// kind makes a volume type.
func (s *stage) kind(name string, specs db.StringMap) db.VolumeType {
	s.Helper()
	k := db.VolumeType{ID: uuid.NewString(), Name: name, IsPublic: true, ExtraSpecs: specs}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertVolumeType(ctx, &k) }))
	return k
}

func (s *stage) retype(v db.Volume, to db.VolumeType, limits db.Limits) error {
	return s.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginRetype(ctx, v, to, db.MigrateNever, "r", limits)
	})
}

func (s *stage) finishRetype(id string) error {
	v, err := s.Volume(s.Context(), id, "")
	if err != nil {
		return err
	}
	to, err := s.RetypeOf(s.Context(), id)
	if err != nil {
		return err
	}
	return s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FinishRetype(ctx, v, to) })
}

func TestRetypeLife(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	gold := s.kind("gold", db.StringMap{"multiattach": "<is> True"})
	v := s.placed(2)
	kept, going := s.taken(v.ID), s.taken(v.ID)
	s.must(s.retype(v, gold, nil))
	s.counts("volumes", 1, "gigabytes", 6, "volumes___DEFAULT__", 1, "gigabytes___DEFAULT__", 6, "snapshots___DEFAULT__", 2,
		"volumes_gold", 1, "gigabytes_gold", 6, "snapshots_gold", 2)
	if got := s.volume(v.ID); got.Status != "retyping" || got.VolumeTypeID == gold.ID || got.Multiattach {
		t.Errorf("%+v", got)
	}
	// A snapshot that goes meanwhile is not counted under the new type's name.
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginSnapshotDelete(ctx, going.ID, db.SnapshotDeleteBegin, "")
	}))
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FinishSnapshotDelete(ctx, going) }))
	s.recounted()
	s.must(s.finishRetype(v.ID))
	s.counts("volumes", 1, "gigabytes", 4, "volumes___DEFAULT__", 0, "gigabytes___DEFAULT__", 0, "snapshots___DEFAULT__", 0,
		"volumes_gold", 1, "gigabytes_gold", 4, "snapshots_gold", 1)
	if got := s.volume(v.ID); got.Status != "available" || got.VolumeTypeID != gold.ID || !got.Multiattach {
		t.Errorf("%+v", got)
	}
	if got := s.snapshot(kept.ID); got.VolumeTypeID != gold.ID {
		t.Errorf("%+v", got)
	}
	if err := s.finishRetype(v.ID); !fault.Is(err, fault.NotFound) {
		t.Error("finished twice", err)
	}
	s.recounted()
}

// whileRetypeEnds does something that has to wait for the end of a retype to
// gold.
func (s *stage) whileRetypeEnds(v db.Volume, gold db.VolumeType, do func() error) {
	s.Helper()
	to, err := s.RetypeOf(s.Context(), v.ID)
	s.must(err)
	v = s.volume(v.ID)
	done := make(chan error, 1)
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		if err := tx.FinishRetype(ctx, v, to); err != nil {
			return err
		}
		go func() { done <- do() }()
		for waiting := 0; waiting == 0 && ctx.Err() == nil; {
			err := s.DB.Pool().QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity
				WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
			if err != nil {
				return err
			}
		}
		return nil
	}))
	s.must(<-done)
	s.recounted()
}

// A snapshot that goes while its volume gets the other type gives back what it
// counts under the name of the type that it has then; one that comes has that
// type.
func TestSnapshotsWhileRetypeEnds(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	gold, silver := s.kind("gold", nil), s.kind("silver", nil)
	v := s.placed(2)
	snap := s.taken(v.ID)
	s.must(s.retype(v, gold, nil))
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginSnapshotDelete(ctx, snap.ID, db.SnapshotDeleteBegin, "")
	}))
	snap = s.snapshot(snap.ID)
	s.whileRetypeEnds(v, gold, func() error {
		return s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FinishSnapshotDelete(ctx, snap) })
	})
	s.counts("snapshots_gold", 0, "snapshots___DEFAULT__", 0, "gigabytes_gold", 2, "gigabytes___DEFAULT__", 0)
	s.must(s.retype(s.volume(v.ID), silver, nil))
	s.whileRetypeEnds(v, silver, func() error { _, err := s.begin(v.ID, nil); return err })
	s.counts("snapshots_gold", 0, "snapshots_silver", 1, "gigabytes_silver", 4)
}

// counts compares the use of resources: a name, then how much.
func (s *stage) counts(want ...any) {
	s.Helper()
	for i := 0; i < len(want); i += 2 {
		if got := s.used(want[i].(string)); got != want[i+1] {
			s.Errorf("%s is %d, want %d", want[i], got, want[i+1])
		}
	}
}

func TestRetypeRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	gold, silver := s.kind("gold", nil), s.kind("silver", nil)
	v := s.placed(2)
	refused := func(why string, v db.Volume, to db.VolumeType, code fault.Code) {
		t.Helper()
		if err := s.retype(v, to, db.Limits{"gigabytes_silver": 1}); !fault.Is(err, code) {
			t.Errorf("%s: %v", why, err)
		}
		s.recounted()
	}
	refused("quota", v, silver, fault.OverQuota)
	refused("the same type", v, db.VolumeType{ID: v.VolumeTypeID}, fault.Conflict)
	refused("no type", v, db.VolumeType{ID: uuid.NewString()}, fault.NotFound)
	encrypted := gold
	encrypted.Encrypted = true
	refused("encryption changed", v, encrypted, fault.Conflict)
	for column, value := range map[string]any{"status": "error", "migration_status": "migrating", "group_id": uuid.NewString()} {
		other := s.placed(1)
		_, err := s.DB.Pool().Exec(t.Context(), "UPDATE volumes SET "+column+" = $1 WHERE id = $2", value, other.ID)
		s.must(err)
		refused(column, s.volume(other.ID), gold, fault.Conflict)
	}
	// A type that a volume is to have is in use.
	s.must(s.retype(v, gold, nil))
	refused("already under way", s.volume(v.ID), silver, fault.Conflict)
	err := s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.DeleteVolumeType(ctx, gold.ID) })
	if !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.RefuseRetype(ctx, s.volume(v.ID), "no") }))
	if got := s.volume(v.ID); got.Status != "available" || got.VolumeTypeID != v.VolumeTypeID {
		t.Errorf("%+v", got)
	}
	s.counts("volumes_gold", 0, "gigabytes_gold", 0, "volumes___DEFAULT__", 4)
	s.recounted()
}

// Front-end QoS cannot change while a volume is attached; anything else can.
func TestRetypeInUse(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	kinds := map[string]db.VolumeType{"plain": s.kind("plain", nil), "plain2": s.kind("plain2", nil)}
	for _, consumer := range []string{"front-end", "both", "back-end"} {
		q := db.QosSpecs{ID: uuid.NewString(), Name: consumer, Consumer: consumer}
		s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertQosSpecs(ctx, &q) }))
		for _, name := range []string{consumer, consumer + "2"} {
			kinds[name] = s.kind(name, nil)
			s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.Associate(ctx, q, kinds[name].ID) }))
		}
	}
	for way, allowed := range map[[2]string]bool{
		{"plain", "plain2"}: true, {"plain", "front-end"}: false, {"front-end", "plain"}: false, {"front-end", "front-end2"}: true,
		{"front-end", "both"}: false, {"back-end", "both"}: false, {"back-end", "plain"}: true, {"plain", "back-end"}: true, {"both", "both2"}: true,
	} {
		v := s.placed(1)
		s.must(s.retype(v, kinds[way[0]], nil))
		s.must(s.finishRetype(v.ID))
		_, err := s.DB.Pool().Exec(t.Context(), "UPDATE volumes SET status = 'in-use' WHERE id = $1", v.ID)
		s.must(err)
		if err := s.retype(s.volume(v.ID), kinds[way[1]], nil); (err == nil) != allowed {
			t.Errorf("%v: %v", way, err)
		}
	}
	s.recounted()
}

// retyping is a few volumes and types, and what requests and jobs do to them.
type retyping struct {
	*stage
	kinds []db.VolumeType

	mu      sync.Mutex
	volumes []string
	snaps   []string
}

func newRetyping(t testing.TB) *retyping {
	r := &retyping{stage: newStage(t, false)}
	for i := range 3 {
		r.kinds = append(r.kinds, r.kind(fmt.Sprintf("kind%d", i), nil))
	}
	for range 3 {
		r.create(1)
	}
	return r
}

func (r *retyping) create(size int) {
	v := r.placed(size)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.volumes = append(r.volumes, v.ID); len(r.volumes) > 5 {
		r.volumes = r.volumes[1:]
	}
}

func (r *retyping) pick(n int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.volumes[n%len(r.volumes)]
}

// retypeSteps are what may happen, by a number and for one of the volumes and types.
// That a step is refused is no mistake.
var retypeSteps = []func(r *retyping, id string, to db.VolumeType){
	func(r *retyping, _ string, _ db.VolumeType) { r.create(2) },
	func(r *retyping, id string, to db.VolumeType) { // ask
		if v, err := r.Volume(r.Context(), id, ""); err == nil {
			_ = r.retype(v, to, db.Limits{"gigabytes_kind0": 4})
		}
	},
	func(r *retyping, id string, _ db.VolumeType) { _ = r.finishRetype(id) },
	func(r *retyping, id string, _ db.VolumeType) { // refuse
		if v, err := r.Volume(r.Context(), id, ""); err == nil {
			_ = r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.RefuseRetype(ctx, v, "") })
		}
	},
	func(r *retyping, id string, _ db.VolumeType) { // take a snapshot
		if snap, err := r.begin(id, nil); err == nil {
			r.mu.Lock()
			r.snaps = append(r.snaps, snap.ID)
			r.mu.Unlock()
		}
	},
	func(r *retyping, id string, _ db.VolumeType) { // a snapshot goes
		r.mu.Lock()
		snaps := append([]string(nil), r.snaps...)
		r.mu.Unlock()
		for _, snap := range snaps {
			x, err := r.Snapshot(r.Context(), snap, "")
			if err != nil || x.VolumeID != id {
				continue
			}
			_ = r.tx(func(ctx context.Context, tx *db.Tx) error {
				return tx.BeginSnapshotDelete(ctx, snap, db.SnapshotForceDelete, "")
			})
			_ = r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FinishSnapshotDelete(ctx, x) })
			return
		}
	},
	func(r *retyping, id string, _ db.VolumeType) { // an administrator sets the status
		_ = r.tx(func(ctx context.Context, tx *db.Tx) error {
			moved, err := tx.MoveVolume(ctx, id, db.ResetTo("available"), "", nil)
			if err != nil {
				return err
			}
			return tx.Abandon(ctx, moved)
		})
	},
	func(r *retyping, id string, _ db.VolumeType) { // begin to grow
		if v, err := r.Volume(r.Context(), id, ""); err == nil {
			_ = r.extend(v, v.SizeGiB+1)
		}
	},
	func(r *retyping, id string, _ db.VolumeType) { // have grown
		if v, err := r.Volume(r.Context(), id, ""); err == nil && v.TargetSizeGiB != nil {
			_ = r.tx(func(ctx context.Context, tx *db.Tx) error { _, err := tx.FinishExtend(ctx, v); return err })
		}
	},
	func(r *retyping, id string, _ db.VolumeType) { // delete by force
		_ = r.tx(func(ctx context.Context, tx *db.Tx) error {
			if has, err := tx.HasSnapshots(ctx, id); err != nil || has {
				return errNo
			}
			if _, err := tx.MoveVolume(ctx, id, db.ForceDeleteBegin, "", nil); err != nil {
				return err
			}
			return tx.AbandonRetype(ctx, id)
		})
		if v, err := r.Volume(r.Context(), id, ""); err == nil {
			_ = r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FinishDelete(ctx, v) })
		}
	},
	func(r *retyping, _ string, to db.VolumeType) { // the type gets another name
		_ = r.tx(func(ctx context.Context, tx *db.Tx) error {
			was, err := tx.LockVolumeType(ctx, to.ID)
			if err != nil {
				return err
			}
			name := was.Name + "'"
			if len(name) > 8 {
				name = name[:5]
			}
			if _, err := tx.UpdateVolumeType(ctx, to.ID, map[string]any{"name": name}); err != nil {
				return err
			}
			return tx.RenameTypeQuota(ctx, was.Name, name)
		})
	},
}

// Whatever happens in whatever order, the quota counts what there is, and every
// step on the way keeps it so.
func TestRetypesCountWhatThereIs(t *testing.T) {
	t.Parallel()
	r := newRetyping(t)
	rapid.Check(t, func(p *rapid.T) {
		for range rapid.IntRange(1, 12).Draw(p, "steps") {
			step := rapid.SampledFrom(retypeSteps).Draw(p, "step")
			step(r, r.pick(rapid.IntRange(0, 4).Draw(p, "volume")), rapid.SampledFrom(r.kinds).Draw(p, "kind"))
			if wrong, err := r.RecountQuota(t.Context()); err != nil || len(wrong) > 0 {
				p.Fatal(wrong, err)
			}
		}
	})
	r.recounted()
}

// The same by many at once.
func TestRetypesAtOnce(t *testing.T) {
	t.Parallel()
	r := newRetyping(t)
	var wg sync.WaitGroup
	for worker := range 6 {
		wg.Go(func() {
			for i := range 40 {
				n := worker*7 + i*13
				retypeSteps[n%len(retypeSteps)](r, r.pick(n), r.kinds[n%5%3])
			}
		})
	}
	wg.Wait()
	r.recounted()
}
