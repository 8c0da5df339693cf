package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() {
	chores = append(chores, chore{"stuck attachments", 5 * time.Second, (*Reconciler).attachments})
}

// attachments ends what an API process that is no more has left half way: a
// host that was being let in is cut off, and the attachment is in error; one
// that was being cut off is cut off, and the attachment ends.
func (r *Reconciler) attachments(ctx context.Context) error {
	stuck, err := r.DB.StuckAttachments(ctx, r.Quiet, most)
	if err != nil {
		return err
	}
	var running errgroup.Group
	running.SetLimit(atOnce) // one dead node must not keep all others waiting
	for _, a := range stuck {
		running.Go(func() error { r.mendAttachment(ctx, a); return nil })
	}
	return running.Wait()
}

func (r *Reconciler) mendAttachment(ctx context.Context, a db.Attachment) {
	mend := r.finishDetach
	switch {
	case a.AttachStatus == db.AttachAttaching && a.Initialized:
		mend = r.abandon
	case a.AttachStatus == db.AttachAttaching:
		mend = r.failAttach
	}
	if err := mend(ctx, a); err != nil && !gone(err) {
		slog.WarnContext(ctx, "an attachment left half way could not be mended", "attachment", a.ID,
			"volume", a.VolumeID, "status", a.AttachStatus, "error", err)
	}
}

// failAttach marks the attachment first: from then on the request that it was
// left by, should it still live, can no longer finish it.
func (r *Reconciler) failAttach(ctx context.Context, a db.Attachment) error {
	failed, err := r.moveAttachment(ctx, a, db.AttachErrorAttaching)
	if err != nil {
		return err
	}
	slog.WarnContext(ctx, "an attachment was left half way, and is in error now", "attachment", a.ID, "volume", a.VolumeID)
	if !r.reachable(ctx, a) {
		return nil // the comparison of exports finds the grant when the node is back
	}
	return r.revoke(ctx, failed)
}

// abandon ends a connection that os-initialize_connection has left half way. Its
// client knows the volume only, and asks again for that.
func (r *Reconciler) abandon(ctx context.Context, a db.Attachment) error {
	if err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.AbandonAttachment(ctx, a) }); err != nil {
		return err
	}
	slog.WarnContext(ctx, "a connection was left half way, and is ended now", "attachment", a.ID, "volume", a.VolumeID)
	a.Generation += 2 // of the row as it ended
	if !r.reachable(ctx, a) {
		return nil // the comparison of exports finds the grant when the node is back
	}
	return r.revoke(ctx, a)
}

func (r *Reconciler) finishDetach(ctx context.Context, a db.Attachment) error {
	if !r.reachable(ctx, a) {
		return r.awaitNode(ctx, a)
	}
	detaching, err := r.moveAttachment(ctx, a, db.AttachDetaching)
	if err != nil {
		return err
	}
	if err := r.revoke(ctx, detaching); err != nil {
		_, moveErr := r.moveAttachment(ctx, detaching, db.AttachErrorDetaching)
		return errors.Join(err, moveErr)
	}
	slog.WarnContext(ctx, "a detachment was left half way, and is finished now", "attachment", a.ID, "volume", a.VolumeID)
	return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishDetach(ctx, a.VolumeID, a.ID) })
}

// awaitNode has a detachment rest until its node is back.
func (r *Reconciler) awaitNode(ctx context.Context, a db.Attachment) error {
	if a.AttachStatus == db.AttachErrorDetaching {
		return nil
	}
	_, err := r.moveAttachment(ctx, a, db.AttachErrorDetaching)
	return err
}

// moveAttachment moves it, if it is as it was read, and the volume with it.
func (r *Reconciler) moveAttachment(ctx context.Context, a db.Attachment, to string) (moved db.Attachment, err error) {
	return moved, r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.TouchAttachments(ctx, a.VolumeID); err != nil {
			return err
		}
		if moved, err = tx.MoveAttachmentAt(ctx, a, to, nil); err != nil {
			return err
		}
		return tx.SettleAttachments(ctx, a.VolumeID)
	})
}

// revoke cuts the attachment's host off, under its generation.
func (r *Reconciler) revoke(ctx context.Context, a db.Attachment) error {
	pool, volumeID, err := r.poolOf(ctx, a)
	if err != nil || volumeID == "" {
		return err // no node has it
	}
	return r.Nodes.Node(pool.Service.Endpoint).Revoke(ctx, revokeFence(a), rpc.PoolOf(pool.Name), volumeID)
}

// reachable tells whether the attachment's node, if any, is up.
func (r *Reconciler) reachable(ctx context.Context, a db.Attachment) bool {
	pool, volumeID, err := r.poolOf(ctx, a)
	return err == nil && (volumeID == "" || pool.Service.Up(time.Now(), r.DownTime))
}

// poolOf finds where an attachment's volume is, and the id by which its node knows
// it: "" when it is nowhere, or when no host was ever let in.
func (r *Reconciler) poolOf(ctx context.Context, a db.Attachment) (pool db.PoolService, volumeID string, err error) {
	v, err := r.DB.Volume(ctx, a.VolumeID, "")
	if fault.Is(err, fault.NotFound) || err == nil && (v.PoolID == nil || a.Connector == nil) {
		return pool, "", nil
	}
	if err != nil {
		return pool, "", err
	}
	pool, err = r.DB.PoolOf(ctx, *v.PoolID)
	return pool, v.StorageID(), err
}

func revokeFence(a db.Attachment) rpc.Fence {
	return rpc.Fence{OperationID: fmt.Sprintf("revoke-%s-%d", a.ID, a.Generation), ResourceID: a.ID, Generation: a.Generation}
}
