package db_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"clinker/db"
)

// TestStuckAttachmentsAwaitTheirNode: however many wait for a node that is away, they
// do not keep those of others from their turn.
func TestStuckAttachmentsAwaitTheirNode(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	v := s.placed(1)
	attach := func(status string) string {
		a := db.Attachment{ID: uuid.NewString(), VolumeID: v.ID, ProjectID: "p", UserID: "u", AttachStatus: db.AttachAttached, Generation: 1}
		s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
			if err := tx.InsertAttachment(ctx, &a); err != nil {
				return err
			}
			_, err := tx.MoveAttachment(ctx, a.ID, nil, status, nil)
			return err
		}))
		return a.ID
	}
	failed := attach(db.AttachErrorDetaching)
	begun := attach(db.AttachDetaching)
	stuck := func(want ...string) {
		t.Helper()
		found, err := s.StuckAttachments(t.Context(), 0, 10)
		s.must(err)
		var ids []string
		for _, a := range found {
			ids = append(ids, a.ID)
		}
		if len(ids) != len(want) || ids[0] != want[0] {
			t.Errorf("stuck are %v, want %v", ids, want)
		}
	}
	stuck(begun)
	s.must(s.RecordPoll(t.Context(), s.polled()))
	stuck(failed, begun)
}

// polled is what the stage's node says of its pool.
func (s *stage) polled() db.Pool {
	s.Helper()
	p, err := s.PoolOf(s.Context(), s.pool)
	s.must(err)
	return p.Pool
}
