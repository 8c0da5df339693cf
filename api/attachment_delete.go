package api

import (
	"context"
	"log/slog"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// attachFailed is a failure of a storage node that Cinder answers with 500 and
// a sentence.
const attachFailed fault.Code = "attach_failed"

func (s *Server) deleteAttachment(c *Call) (View, error) {
	a, v, err := c.attachment()
	if err != nil {
		return nil, err
	}
	if err := c.protectServer(a); err != nil {
		return nil, err
	}
	if err := c.detach(v, a); err != nil {
		return nil, attachFailure(err, "Unable to delete attachment")
	}
	left, err := c.database().AttachmentsOf(c.Context(), v.ID)
	return func(o object) { objects(o, "attachments", left[v.ID], attachmentSummary) }, err
}

// protectServer refuses to take a disk from under a running server unless a
// service, Nova, asks with a token of its own; administrators too. A server that
// is not connected has no disk to lose.
func (c *Call) protectServer(a db.Attachment) error {
	if !c.server.ProtectServers || c.Identity.IsServiceRequest() ||
		a.InstanceUUID == nil || a.AttachStatus != db.AttachAttached || a.ConnectionInfo == nil {
		return nil
	}
	return fault.New(fault.Conflict, "ConflictNovaUsingAttachment: Detach volume from instance %s using the Compute API", *a.InstanceUUID)
}

// detach cuts the host off, and only then says so. A crash in between leaves
// an attachment in status detaching, which the reconciler finishes, or the
// client's next try.
func (c *Call) detach(v db.Volume, a db.Attachment) error {
	return c.detachBy(v, a, func(tx *db.Tx) (db.Attachment, error) {
		return tx.MoveAttachment(c.Context(), a.ID, nil, db.AttachDetaching, nil)
	})
}

// detachBegun is detach for a connection that os-attach has not completed:
// Conflict when another request has done so since a was read.
func (c *Call) detachBegun(v db.Volume, a db.Attachment) error {
	err := c.detachBy(v, a, func(tx *db.Tx) (db.Attachment, error) {
		return tx.MoveAttachmentAt(c.Context(), a, db.AttachDetaching, nil)
	})
	if fault.Is(err, fault.NotFound) {
		return nil // it has ended
	}
	return err
}

func (c *Call) detachBy(v db.Volume, a db.Attachment, begin func(tx *db.Tx) (db.Attachment, error)) error {
	var detaching db.Attachment
	err := c.tx(func(tx *db.Tx) (err error) {
		if err = tx.TouchAttachments(c.Context(), v.ID); err != nil {
			return err
		}
		detaching, err = begin(tx)
		return err
	})
	if err != nil {
		return err
	}
	if err := c.revoke(v, detaching); err != nil {
		c.noteFailure(v, detaching, db.AttachDetaching, db.AttachErrorDetaching)
		return err
	}
	return c.tx(func(tx *db.Tx) error { return tx.FinishDetach(c.Context(), v.ID, a.ID) })
}

func (c *Call) revoke(v db.Volume, a db.Attachment) error {
	if a.Connector == nil || v.PoolID == nil {
		return nil // never connected
	}
	node, pool, err := c.node(v)
	if err != nil {
		return err
	}
	err = node.Revoke(c.Context(), rpc.Fence{OperationID: c.RequestID, ResourceID: a.ID, Generation: a.Generation}, pool, v.StorageID())
	if err != nil && c.nodeLost(v) {
		return nil // nobody is let in there; the reconciler looks when it is back
	}
	return nodeFailure(err)
}

// noteFailure marks an attachment that a node has failed, so that it neither
// blocks nor misleads, although the client may have gone; one that another
// request has changed since is that one's. Should that fail too, the reconciler
// will find the row.
func (c *Call) noteFailure(v db.Volume, a db.Attachment, from, to string) {
	if a.AttachStatus != from {
		return
	}
	ctx := context.WithoutCancel(c.Context())
	err := c.server.db.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.TouchAttachments(ctx, v.ID); err != nil {
			return err
		}
		if _, err := tx.MoveAttachmentAt(ctx, a, to, nil); err != nil {
			return err
		}
		return tx.SettleAttachments(ctx, v.ID)
	})
	if err != nil && !fault.Is(err, fault.Conflict) {
		slog.WarnContext(ctx, "a failure could not be noted", "attachment", a.ID, "error", err)
	}
}
