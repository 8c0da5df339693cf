package scheduler_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const gib = int64(1) << 30

// rig is a cloud for one test: a database, nodes, and schedulers.
type rig struct {
	testing.TB
	db      *db.DB
	network *nodetest.Network
	adjust  func(*scheduler.Options)
	hosts   int
}

func newRig(t testing.TB, nodes ...*nodetest.Node) *rig {
	return &rig{TB: t, db: dbtest.Open(t), network: nodetest.NewNetwork(nodes...), adjust: func(*scheduler.Options) {}}
}

// start runs a scheduler, whose nodes have announced themselves and been
// polled, and gives the way to stop it in order.
func (r *rig) start() (stop func()) {
	r.Helper()
	r.hosts++
	options := scheduler.Options{DB: r.db, Nodes: r.network, Host: fmt.Sprintf("control%d", r.hosts), PollInterval: time.Second, StopTimeout: 200 * time.Millisecond}
	options.Jobs.Pause = 20 * time.Millisecond
	r.adjust(&options)
	s, err := scheduler.New(options)
	if err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for _, node := range r.network.Nodes() {
		if err := s.Announce(ctx, node.Self()); err != nil {
			r.Fatal(err)
		}
	}
	for _, node := range r.network.Nodes() {
		r.eventually("poll "+node.Self().Host, func() bool { return node.Calls("stats") > 0 })
	}
	r.knowsPools()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			r.Error(err)
		}
	}
	r.Cleanup(stop)
	return stop
}

// knowsPools waits until every pool is in the database.
func (r *rig) knowsPools() {
	r.Helper()
	r.eventually("every pool is known", func() bool {
		known, _ := r.db.Pools(r.Context())
		return !slices.ContainsFunc(r.network.Nodes(), func(n *nodetest.Node) bool {
			return slices.ContainsFunc(n.Pools(), func(pool string) bool {
				return !slices.ContainsFunc(known, func(k db.PoolService) bool { return k.Name == pool })
			})
		})
	})
}

// eventually waits for something that others do.
func (r *rig) eventually(what string, happened func() bool) {
	r.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(50 * time.Second)
	for !happened() {
		select {
		case <-tick.C:
		case <-late:
			r.Fatalf("in vain: %s", what)
		}
	}
}

// request writes a volume with quota and job, as the API does.
func (r *rig) request(sizeGiB int, change func(*db.Volume, *db.VolumeCreateArgs)) db.Volume {
	r.Helper()
	v, err := r.tryRequest(r.Context(), sizeGiB, change)
	if err != nil {
		r.Fatal(err)
	}
	return v
}

func (r *rig) tryRequest(ctx context.Context, sizeGiB int, change func(*db.Volume, *db.VolumeCreateArgs)) (db.Volume, error) {
	kind, err := r.db.VolumeTypeByName(ctx, "__DEFAULT__", "")
	if err != nil {
		return db.Volume{}, err
	}
	v := db.Volume{ID: uuid.NewString(), ProjectID: "p", UserID: "u", SizeGiB: sizeGiB, Status: "creating", Generation: 1,
		VolumeTypeID: kind.ID, VolumeType: kind.Name, AvailabilityZone: "nova", ConsumesQuota: true}
	args := db.VolumeCreateArgs{VolumeID: v.ID, Request: "req-" + v.ID}
	if change != nil {
		change(&v, &args)
	}
	return v, r.db.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.Use(ctx, v.ProjectID, db.VolumeUse(sizeGiB, kind.Name, 1), nil); err != nil {
			return err
		}
		if err := tx.InsertVolume(ctx, &v); err != nil {
			return err
		}
		return tx.Enqueue(ctx, args)
	})
}

// extend asks for a longer volume, as the API does.
func (r *rig) extend(id string, sizeGiB int) {
	r.Helper()
	v := r.read(id)
	if err := r.db.Tx(r.Context(), func(tx *db.Tx) error {
		return tx.BeginExtend(r.Context(), v, db.ExtendBeginInUse, sizeGiB, "req-extend", nil)
	}); err != nil {
		r.Fatal(err)
	}
}

// delete asks for the end of a volume, as the API does.
func (r *rig) delete(id string) {
	r.Helper()
	ctx := r.Context()
	if err := r.db.Tx(ctx, func(tx *db.Tx) error {
		v, err := tx.MoveVolume(ctx, id, db.ForceDeleteBegin, "", nil)
		if err != nil {
			return err
		}
		if v.PoolID == nil {
			return tx.FinishDelete(ctx, v)
		}
		return tx.Enqueue(ctx, db.VolumeDeleteArgs{VolumeID: id, Request: "req-delete"})
	}); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) read(id string) db.Volume {
	r.Helper()
	v, err := r.db.Volume(r.Context(), id, "")
	if err != nil {
		r.Fatal(err)
	}
	return v
}

// rests waits until the volume has the status; "deleted" means gone.
func (r *rig) rests(id, status string) db.Volume {
	r.Helper()
	var v db.Volume
	r.eventually("volume becomes "+status, func() bool {
		found, err := r.db.Volume(r.Context(), id, "")
		v = found
		if err != nil {
			return status == "deleted"
		}
		return v.Status == status
	})
	return v
}

// messages gives what users were told.
func (r *rig) messages() []db.Message {
	r.Helper()
	all, err := r.db.Messages(r.Context(), db.Query{Sort: []db.Sort{{Key: "created_at"}}, Limit: 100})
	if err != nil {
		r.Fatal(err)
	}
	return all
}
