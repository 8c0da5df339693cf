package jobs

import (
	"context"
	"log/slog"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register((*Runner).serviceFailover, Control{CannotCancel: tooShort, CannotRetry: askAgain})
}

// failoverBatch is how many volumes are looked up at once.
const failoverBatch = 200

// serviceFailover tells of all that is on a backend that it is lost, or back: each
// volume in a transaction of its own, so that the job can end at any point and be
// run again. Nothing is asked of the node. When it is declared the other meanwhile,
// another job tells of that, and this one has nothing more to say.
func (r *Runner) serviceFailover(ctx context.Context, job *river.Job[db.ServiceFailoverArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, func(ctx context.Context, run *run) error {
		volume, snapshot := run.loseVolume, run.moveSnapshot(db.SnapshotFailOver)
		if job.Args.Back {
			volume, snapshot = run.regainVolume, run.moveSnapshot(db.SnapshotFailBack)
		}
		if err := run.each(ctx, job.Args, r.DB.ToFailOver, volume); err != nil {
			return err
		}
		if err := run.each(ctx, job.Args, r.DB.SnapshotsToFailOver, snapshot); err != nil {
			return err
		}
		run.notes.Failure = "" // what was told of volumes is not the job's
		slog.WarnContext(ctx, "a backend was declared lost, or there again", "service", job.Args.ServiceID, "back", job.Args.Back)
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.EndFailover(ctx, job.Args.ServiceID, job.Args.Back) })
	})
}

// each does something with all there is of a kind, in batches, until none is left or
// the backend goes the other way.
func (r *run) each(ctx context.Context, args db.ServiceFailoverArgs, find func(context.Context, string, bool, int) ([]string, error), do func(context.Context, *db.Tx, string) error) error {
	for {
		ids, err := find(ctx, args.ServiceID, args.Back, failoverBatch)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			goesOn := true
			err := r.DB.Tx(ctx, func(tx *db.Tx) (err error) {
				if goesOn, err = tx.Fails(ctx, args.ServiceID, args.Back); err != nil || !goesOn {
					return err
				}
				return do(ctx, tx, id)
			})
			if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Conflict) || !goesOn {
				return err
			}
		}
	}
}

func (r *run) loseVolume(ctx context.Context, tx *db.Tx, id string) error {
	v, err := tx.FailOverVolume(ctx, id)
	if err != nil {
		return err
	}
	return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionFailOver, db.DetailUnknownError,
		"The storage node that keeps the volume was declared lost: what is on it cannot be reached.", r.request))
}

func (r *run) regainVolume(ctx context.Context, tx *db.Tx, id string) error {
	return tx.FailBackVolume(ctx, id)
}

func (r *run) moveSnapshot(m db.Move) func(context.Context, *db.Tx, string) error {
	return func(ctx context.Context, tx *db.Tx, id string) error {
		_, err := tx.MoveSnapshot(ctx, id, m, "", nil)
		return err
	}
}

// lost tells whether the node of a pool was declared lost: then what is on it is
// deleted without it. Should it come back, it has remains, which the reconciler
// takes away.
func (r *run) lost(ctx context.Context, poolID string) bool {
	p, err := r.DB.PoolOf(ctx, poolID)
	return err == nil && p.Service.Lost()
}
