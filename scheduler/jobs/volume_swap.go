package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

const (
	// swapPause is how long a job looks away while Nova is at work.
	swapPause = 2 * time.Second
	// swapSilence is how long Nova may take to attach the new volume before it is
	// asked again, and swapTries how often it is asked.
	swapSilence = time.Minute
	swapTries   = 3
)

// serverOf gives the servers that have a volume attached; nil when nothing has it.
// A host that is no server of Nova's is "".
func (r *run) serverOf(ctx context.Context, v db.Volume) (servers []string, err error) {
	attached, err := r.DB.AttachmentsOf(ctx, v.ID)
	return serversOf(attached[v.ID]), err
}

func serversOf(attached []db.Attachment) (servers []string) {
	for _, a := range attached {
		servers = append(servers, deref(a.InstanceUUID))
	}
	return servers
}

// cannotSwap says why a volume that is attached cannot be moved, "" when Nova can
// be asked.
func (r *run) cannotSwap(v db.Volume, servers []string) string {
	switch {
	case v.EncryptionKeyID != nil:
		return "it is attached, and encrypted: only when it is free can it be moved with its header"
	case r.Compute == nil:
		return "it is attached, and there is no compute service that could move it ([nova] is not configured)"
	case len(servers) > 1:
		return "it is attached more than once"
	case servers[0] == "":
		return "it is attached to a host that is no server of the compute service"
	}
	return ""
}

// beginSwap makes the volume that Nova is to copy onto.
func (r *run) beginSwap(ctx context.Context, way migration, servers []string) (next bool, err error) {
	if why := r.cannotSwap(way.volume, servers); why != "" {
		return false, r.failMigrate(ctx, way, why)
	}
	typeID := way.volume.VolumeTypeID
	if way.retype != nil {
		typeID = way.retype.VolumeTypeID
	}
	return true, r.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.BeginSwap(ctx, way.volume, way.Migration, servers[0], typeID)
		return err
	})
}

// watchSwap brings a migration by Nova one step further: the new volume is made,
// Nova is asked, and then it is Nova that ends it.
func (r *run) watchSwap(ctx context.Context, v db.Volume, m db.Migration) error {
	n, err := r.DB.Volume(ctx, *m.NewVolumeID, "")
	switch {
	case fault.Is(err, fault.NotFound):
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.YieldMigration(ctx, m) })
	case err != nil:
		return err
	case n.Status == "creating":
		return r.makeTarget(ctx, v, n)
	}
	attached, err := r.DB.AttachmentsOf(ctx, n.ID)
	if err != nil {
		return err
	}
	switch {
	case len(attached) > 0:
		return r.lookAgain() // Nova is at it
	case n.Status == "deleting":
		return r.lookAgain() // an administrator takes it away
	case strings.HasPrefix(n.Status, "error"):
		return r.failSwap(ctx, v, n, "the volume that was made for it is in error")
	case r.cancel:
		return r.failSwap(ctx, v, n, "an administrator has cancelled it")
	case m.AskedAt != nil && time.Since(*m.AskedAt) < r.SwapSilence:
		return r.lookAgain()
	case m.Asked >= swapTries:
		return r.failSwap(ctx, v, n, "the compute service has begun nothing")
	}
	return r.askNova(ctx, v, n, m)
}

// lookAgain has the job look again after some time.
func (r *run) lookAgain() error {
	r.pause = swapPause
	return errAgain
}

// makeTarget has the new pool's node make the volume that Nova copies onto.
func (r *run) makeTarget(ctx context.Context, v, n db.Volume) error {
	where, err := r.whereIs(ctx, *n.PoolID)
	if err != nil {
		return err
	}
	err = r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(where.endpoint).Create(ctx, fence("create", n), where.pool, int64(n.SizeGiB)<<30, n.EncryptionKeyID != nil)
	})
	switch {
	case err == nil:
		if err := r.DB.FinishCreate(ctx, n); err != nil {
			return err
		}
		return errAgain
	case errors.Is(err, errAgain), ctx.Err() != nil, fault.Is(err, fault.Stale) && !r.staleFor(n):
		return err
	}
	return r.failSwap(ctx, v, n, strings.TrimSuffix(sentence(err), "."))
}

// askNova notes first that it asks: after a crash the answer is unknown, and what
// Nova has begun shows in the new volume's attachment.
func (r *run) askNova(ctx context.Context, v, n db.Volume, m db.Migration) error {
	if r.Compute == nil {
		return r.failSwap(ctx, v, n, "there is no compute service any more")
	}
	if err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.AskedToSwap(ctx, v.ID) }); err != nil {
		return err
	}
	ask, cancel := context.WithTimeout(ctx, askCompute)
	defer cancel()
	err := r.Compute.SwapVolume(ask, deref(m.ServerID), v.ID, n.ID)
	switch {
	case err == nil, fault.Is(err, fault.Conflict), fault.Is(err, fault.Unavailable), ctx.Err() != nil:
		if err != nil {
			slog.WarnContext(ctx, "the compute service was asked to move a volume", "volume", v.ID, "server", deref(m.ServerID), "error", err)
		}
		return r.lookAgain()
	}
	return r.failSwap(ctx, v, n, strings.TrimSuffix(sentence(err), "."))
}

// failSwap ends the migration; the volume stays where it is.
func (r *run) failSwap(ctx context.Context, v, n db.Volume, reason string) error {
	slog.WarnContext(ctx, "volume in use not moved", "volume", v.ID, "reason", reason)
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailSwap(ctx, v.ID, n.ID, reason, r.request); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionMigrateVolume, db.DetailUnknownError,
			"The volume was not moved: "+reason+".", r.request))
	})
}
