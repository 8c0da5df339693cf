package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() { register((*Runner).volumeMigrate, Control{CannotRetry: askAgain}) }

// volumeMigrate brings a volume to another pool: choose and claim it, have what an
// earlier try left there taken away, let the new node fetch the volume from the
// old one, and then change the row, all at once. Until that it is where it was,
// and whatever fails leaves it there. Each step is of one generation of the row:
// when somebody else has changed the volume, its migration yields.
func (r *Runner) volumeMigrate(ctx context.Context, job *river.Job[db.VolumeMigrateArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, func(ctx context.Context, run *run) error {
		for {
			next, err := run.migrateOnce(ctx, job.Args.VolumeID)
			if err != nil || !next {
				return err
			}
		}
	})
}

// migrateOnce takes the migration one step further; next when it is to be read
// again.
func (r *run) migrateOnce(ctx context.Context, id string) (next bool, err error) {
	m, err := r.DB.MigrationOf(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return false, nil // it has ended
	}
	if err != nil {
		return false, err
	}
	v, specs, err := r.DB.VolumeAndSpecs(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return false, r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.EndSwapTarget(ctx, m, r.request) })
	}
	if err != nil {
		return false, err
	}
	if m.NewVolumeID != nil {
		return false, r.watchSwap(ctx, v, m)
	}
	if v.Generation != m.Generation || v.PoolID == nil {
		return false, r.yield(ctx, v, m)
	}
	way := migration{volume: v, Migration: m}
	if err := r.newType(ctx, &way, &specs); err != nil {
		return false, err
	}
	if m.PoolID == nil {
		return r.chooseDestination(ctx, way, specs)
	}
	if way.from, err = r.DB.PoolOf(ctx, *v.PoolID); err != nil {
		return false, err
	}
	if way.to, err = r.DB.PoolOf(ctx, *m.PoolID); err != nil {
		return false, err
	}
	servers, err := r.serverOf(ctx, v)
	if err != nil {
		return false, err
	}
	if servers != nil {
		return r.beginSwap(ctx, way, servers)
	}
	return r.carry(ctx, way)
}

// migration is a volume on its way.
type migration struct {
	db.Migration
	volume   db.Volume
	retype   *db.Retype // the type that it gets with its new pool; nil when it keeps its own
	from, to db.PoolService
}

func (w migration) bytes() int64 { return int64(w.volume.SizeGiB) << 30 }

// newType replaces what the volume's type asks for by what the one asks for that
// it is to have.
func (r *run) newType(ctx context.Context, way *migration, specs *db.TypeSpecs) error {
	if way.volume.Status != "retyping" {
		return nil
	}
	to, err := r.DB.RetypeOf(ctx, way.volume.ID)
	if err == nil {
		way.retype, *specs = &to, to.TypeSpecs
	}
	return unlessGone(err)
}

// carry has the bytes brought, and changes the row.
func (r *run) carry(ctx context.Context, way migration) (next bool, err error) {
	if !way.Cleared {
		err = r.clear(ctx, way)
		next = true
	} else {
		err = r.fetch(ctx, way)
	}
	switch {
	case err == nil && next:
		return true, nil
	case err == nil:
		return false, r.arrived(ctx, way)
	case errors.Is(err, errAgain), ctx.Err() != nil, overtaken(err) && !fault.Is(err, fault.Stale):
		return false, err
	case fault.Is(err, fault.Stale) && !r.staleFor(way.volume):
		return true, nil
	}
	return true, r.leaveDestination(ctx, way, err)
}

// clear has the new node take away what an earlier try left there: else it would
// be taken for what is to come.
func (r *run) clear(ctx context.Context, way migration) error {
	err := r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(way.to.Service.Endpoint).Destroy(ctx, fence("clear", way.volume), rpc.PoolOf(way.to.Name))
	})
	if err != nil {
		return err
	}
	return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.ClearedMigration(ctx, way.volume) })
}

// fetch lends the volume to its new node and waits for that. It is lent again at
// each look: a loan lasts some minutes only, and a node that was started anew
// knows of none.
func (r *run) fetch(ctx context.Context, way migration) error {
	silence := r.notes.SilentSince // of the new node, unless the old one is silent
	if err := r.lend(ctx, way); err != nil {
		return err
	}
	r.notes.SilentSince = silence
	from := rpc.Lender{NodeUUID: deref(way.from.Service.NodeUUID), Endpoint: way.from.Service.Endpoint,
		Generation: way.volume.Generation, Token: rpc.Secret(way.Token)}
	err := r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(way.to.Service.Endpoint).MoveIn(ctx, fence("move", way.volume), rpc.PoolOf(way.to.Name), from, way.bytes())
	})
	if fault.Is(err, fault.Conflict) {
		// The row's conflicts are read again; this one is about bytes.
		err = fault.New(notTheSame, "%s", sentence(err))
	}
	return err
}

// notTheSame is the code of errors by which a node says that what arrived is not
// what is there.
const notTheSame fault.Code = "not the same"

func (r *run) lend(ctx context.Context, way migration) error {
	reader := hostname(way.to.Service.Endpoint)
	if deref(way.from.Service.NodeUUID) == deref(way.to.Service.NodeUUID) {
		reader = "" // the node reads for itself
	}
	return r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		err := r.Nodes.Node(way.from.Service.Endpoint).Lend(ctx, fence("lend", way.volume), rpc.PoolOf(way.from.Name),
			way.bytes(), reader, rpc.Secret(way.Token))
		return &rpc.Operation{State: rpc.Done}, err
	})
}

// arrived changes the row, and has the old node take away what is left there. If
// that node does not answer, the reconciler will see to it when it does.
func (r *run) arrived(ctx context.Context, way migration) error {
	var moved db.Volume
	err := r.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		moved, err = tx.FinishMigrate(ctx, way.volume, way.Migration, way.retype)
		return err
	})
	if err != nil {
		return err
	}
	slog.InfoContext(ctx, "volume moved", "volume", moved.ID, "from", way.from.Name, "to", way.to.Name)
	r.takeRemains(ctx, moved, way.from)
	return nil
}

// takeRemains has a node take away what it has of a volume that is in another pool.
func (r *run) takeRemains(ctx context.Context, v db.Volume, from db.PoolService) {
	call, cancel := context.WithTimeout(ctx, r.FirstWait)
	defer cancel()
	o, err := r.Nodes.Node(from.Service.Endpoint).Destroy(call, fence("remains", v), rpc.PoolOf(from.Name))
	if err == nil {
		err = o.Err()
	}
	if err != nil {
		slog.WarnContext(ctx, "remains of a volume that is in another pool are taken away later", "volume", v.ID, "pool", from.Name, "error", err)
	}
}

// leaveDestination notes why a pool did not serve: it is full, or cannot have the
// volume at all. Another is tried, if any other may be; a node that has the volume and does not give it would not do so
// for another either.
func (r *run) leaveDestination(ctx context.Context, way migration, reason error) error {
	slog.WarnContext(ctx, "volume could not be moved", "volume", way.volume.ID, "from", way.from.Name, "to", way.to.Name, "error", reason)
	text := strings.TrimSuffix(sentence(reason), ".")
	if !fault.Is(reason, fault.NoSpace) && !fault.Is(reason, fault.Unsupported) {
		err := r.failMigrate(ctx, way, text)
		if err == nil {
			r.abort(ctx, way.volume.ID, way.to)
		}
		return err
	}
	err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.LeaveMigrationPool(ctx, way.volume, text) })
	if err == nil {
		r.notes.Tried = append(r.notes.Tried, attempt{Pool: way.to.Name, Reason: text})
	}
	return err
}

// failMigrate leaves the volume where it is, and tells why.
func (r *run) failMigrate(ctx context.Context, way migration, reason string) error {
	slog.WarnContext(ctx, "volume not moved", "volume", way.volume.ID, "reason", reason)
	action, text := db.ActionMigrateVolume, "The volume was not moved: "+reason+"."
	if way.retype != nil {
		action, text = db.ActionRetypeVolume, "The volume keeps its type: it could not be moved to a pool that serves the new one: "+reason+"."
	}
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailMigrate(ctx, way.volume, reason); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(way.volume, action, db.DetailNoBackendAvailable, text, r.request))
	})
}

// yield ends a migration whose volume somebody else has changed.
func (r *run) yield(ctx context.Context, v db.Volume, m db.Migration) error {
	slog.InfoContext(ctx, "a volume's migration yields: the volume was changed meanwhile", "volume", v.ID, "status", v.Status)
	err := r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.YieldMigration(ctx, m); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionMigrateVolume, db.DetailUnknownError,
			"The volume was not moved: it was put to use or changed meanwhile.", r.request))
	})
	if err != nil || m.PoolID == nil {
		return err
	}
	to, err := r.DB.PoolOf(ctx, *m.PoolID)
	if err == nil {
		r.abort(ctx, v.ID, to)
	}
	return unlessGone(err)
}

// abort ends what the new node is at, under the row's generation as it is now.
// What it leaves all the same the reconciler finds.
func (r *run) abort(ctx context.Context, id string, to db.PoolService) {
	v, err := r.DB.Volume(ctx, id, "")
	if err == nil && deref(v.PoolID) != to.ID {
		r.takeRemains(ctx, v, to)
	}
}
