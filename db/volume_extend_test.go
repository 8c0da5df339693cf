package db_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

// TestExtendOfWhatHasChanged: an administrator's extension counts for the project that
// has the volume by then, and is none when another has made it as long.
func TestExtendOfWhatHasChanged(t *testing.T) {
	t.Parallel()
	s := newStage(t, true)
	v := s.placed(1)
	offer := db.Transfer{ID: uuid.NewString(), VolumeID: v.ID, Salt: []byte("s"), CryptHash: []byte("h")}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertTransfer(ctx, &offer) }))
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.AcceptTransfer(ctx, offer, "q", "u", nil) }))
	s.must(s.extend(v, 3)) // as it was read
	s.recounted()
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.FinishExtend(ctx, s.volume(v.ID))
		return err
	}))
	if err := s.extend(v, 2); !fault.Is(err, fault.Invalid) {
		t.Errorf("it would shrink: %v", err)
	}
	if now := s.volume(v.ID); now.Status != "available" || now.SizeGiB != 3 || now.ProjectID != "q" {
		t.Errorf("%+v", now)
	}
	s.recounted()
}
