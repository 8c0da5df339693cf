package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() { register((*Runner).volumeManage, Control{CannotCancel: tooShort, CannotRetry: askAgain}) }

// ReasonManageSilent and ReasonUnmanageSilent are what the history says of what
// ended in error because the node did not answer. The reconciler takes it up
// again when the node is back.
const (
	ReasonManageSilent   = "the storage node does not answer; the managing goes on when it does"
	ReasonUnmanageSilent = "the storage node does not answer; the unmanaging goes on when it does"
)

// volumeManage makes a volume of what lies in a pool: ask the node how large it
// is, count that, have the node give it its name, finish; or error_managing, with
// a message that says why. Until it is finished, deleting the row gives back
// what the node has, and destroys nothing.
func (r *Runner) volumeManage(ctx context.Context, job *river.Job[db.VolumeManageArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Volume, job.Args.VolumeID, volumeIs("managing"), (*run).manage))
}

func (r *run) manage(ctx context.Context, v db.Volume) error {
	m, where, err := r.managedPlace(ctx, v.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err == nil && v.PoolID == nil {
		v, err = r.sizeVolume(ctx, v, m, where)
	}
	if err == nil {
		err = r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
			return r.Nodes.Node(where.endpoint).Manage(ctx, fence("manage", v), where.pool, rpc.KindVolume, m.Reference, int64(v.SizeGiB)<<30, "")
		})
	}
	switch {
	case err == nil:
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishManage(ctx, v) })
	case again(ctx, err):
		return err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return err // the row is read again
	}
	slog.WarnContext(ctx, "volume is not managed", "volume", v.ID, "pool", where.name, "reference", m.Reference, "error", err)
	return r.failManage(ctx, v, err)
}

// again: it is too early to say how the work ends.
func again(ctx context.Context, err error) bool {
	return errors.Is(err, errAgain) || errors.Is(err, errReread) || ctx.Err() != nil
}

// errReread says that the row was moved while it was looked at.
var errReread = fault.New(fault.Conflict, "the row was changed at the same time")

// managedPlace gives what is to be managed, and where.
func (r *run) managedPlace(ctx context.Context, id string) (db.Managed, place, error) {
	m, ok, err := r.DB.ManagedOf(ctx, id)
	if err != nil {
		return m, place{}, err
	}
	if !ok || m.PoolID == nil {
		return m, place{}, fault.New(fault.NotFound, "its pool is gone")
	}
	pool, err := r.DB.PoolOf(ctx, *m.PoolID)
	return m, placeOf(pool), err
}

// sizeVolume counts what the node says of it.
func (r *run) sizeVolume(ctx context.Context, v db.Volume, m db.Managed, where place) (db.Volume, error) {
	c, err := r.candidate(ctx, m.Reference, where)
	if err != nil {
		return v, err
	}
	sized := v
	err = r.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		sized, err = tx.SizeManaged(ctx, v, *m.PoolID, wholeGiB(c.Bytes), r.Limits)
		return err
	})
	if err != nil {
		return v, reread(err) // the transaction is undone
	}
	return sized, nil
}

// reread tells a Conflict of our own database from a node's.
func reread(err error) error {
	if fault.Is(err, fault.Conflict) {
		return errReread
	}
	return err
}

// candidate asks the node what lies under a reference. An error is why it cannot
// be managed.
func (r *run) candidate(ctx context.Context, reference string, where place) (*rpc.Candidate, error) {
	call, cancel := context.WithTimeout(ctx, r.FirstWait)
	defer cancel()
	all, err := r.Nodes.Node(where.endpoint).Manageable(call, where.pool)
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) {
		return nil, r.silence(err, r.Patience)
	}
	if err != nil {
		return nil, err
	}
	r.notes.SilentSince = nil
	i := slices.IndexFunc(all, func(c *rpc.Candidate) bool { return c.Reference == reference })
	switch {
	case i < 0:
		return nil, fault.New(fault.NotFound, "there is no %s in the pool", reference)
	case all[i].Refusal != "":
		return nil, fault.New(fault.Busy, "%s cannot be managed: %s", reference, all[i].Refusal)
	case all[i].ID == "":
		return all[i], nil
	}
	ours, err := r.DB.AlreadyManaged(ctx, []string{all[i].ID})
	if err == nil && ours[all[i].ID] {
		err = fault.New(fault.Busy, "%s is managed already", reference)
	}
	return all[i], err
}

// wholeGiB rounds up, as Cinder's LVM driver does.
func wholeGiB(bytes int64) int { return int((bytes + 1<<30 - 1) >> 30) }

func (r *run) failManage(ctx context.Context, v db.Volume, why error) error {
	reason, detail := manageReason(why, ReasonManageSilent)
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.MoveVolumeAt(ctx, v, db.ManageFailed, reason, nil); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionManageVolume, detail, "The volume is not managed: "+reason+".", r.request))
	})
}

// manageReason words a failure for the history and for the user.
func manageReason(why error, whenSilent string) (string, db.MessageWord) {
	switch {
	case fault.Is(why, silent):
		return whenSilent, db.DetailUnknownError
	case fault.Is(why, fault.OverQuota):
		return "the project's quota does not allow its size", db.DetailQuotaExceed
	}
	return sentence(why), db.DetailUnknownError
}
