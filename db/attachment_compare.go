package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// StuckAttachments gives live attachments that a request left half way: being
// connected without how to connect being known, or being disconnected; and those
// whose disconnecting failed, if their node has answered a poll since: what waits for
// a node that is away must not keep the others from their turn. Only such as nothing
// has changed for that long, at most limit.
func (d *DB) StuckAttachments(ctx context.Context, quiet time.Duration, limit int) ([]Attachment, error) {
	rows, err := d.pool.Query(ctx, "SELECT "+attachments.columns+` FROM attachments a
			LEFT JOIN volumes v ON v.id = a.volume_id LEFT JOIN pools p ON p.id = v.pool_id
		WHERE a.deleted_at IS NULL AND a.attach_status IN ('attaching', 'detaching', 'error_detaching') -- attachments_moving has them
			AND COALESCE(a.updated_at, a.created_at) <= now() - $1::interval
			AND (a.attach_status = 'detaching'
				OR a.attach_status = 'error_detaching' AND (p.id IS NULL OR p.polled_at > a.updated_at)
				OR a.attach_status = 'attaching' AND a.connection_info IS NULL)
		ORDER BY a.updated_at LIMIT $2`, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanAttachment)
}

// AttachmentsEver gives attachments by id, those that have ended too.
func (d *DB) AttachmentsEver(ctx context.Context, ids []string) (map[string]Attachment, error) {
	rows, err := d.pool.Query(ctx, "SELECT "+attachments.columns+" FROM attachments a WHERE a.id = ANY($1::uuid[])", valid(ids))
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanAttachment)
	byID := make(map[string]Attachment, len(found))
	for _, a := range found {
		byID[a.ID] = a
	}
	return byID, err
}

// AttachmentsConnected gives the attachments that the node of a pool must let
// in: how to connect has been told, and nothing has changed for that long.
func (d *DB) AttachmentsConnected(ctx context.Context, poolID string, quiet time.Duration) ([]Attachment, error) {
	rows, err := d.pool.Query(ctx, "SELECT "+attachments.columns+` FROM attachments a
		JOIN volumes v ON v.id = a.volume_id AND v.pool_id = $1 AND v.deleted_at IS NULL AND v.user_id >= '' AND v.launched_at IS NOT NULL
		WHERE a.deleted_at IS NULL AND a.attach_status IN ('attaching', 'attached')
			AND a.connection_info IS NOT NULL AND a.connector IS NOT NULL
			AND COALESCE(a.updated_at, a.created_at) <= now() - $2::interval`, poolID, quiet)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanAttachment)
}

// MoveAttachmentAt is MoveAttachment for whoever acted upon a: Conflict also
// when it has changed since a was read. The transaction must then be given up.
func (t *Tx) MoveAttachmentAt(ctx context.Context, a Attachment, to string, set map[string]any) (Attachment, error) {
	moved, err := t.MoveAttachment(ctx, a.ID, []string{a.AttachStatus}, to, set)
	if err == nil && moved.Generation != a.Generation+1 {
		err = fault.New(fault.Conflict, "Attachment %s was changed by another request at the same time.", a.ID)
	}
	return moved, err
}
