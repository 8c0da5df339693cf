package jobs

import (
	"context"
	"time"

	"clinker/db"
)

// mayTryAgain tells whether to ask once more for something that is held.
func (r *run) mayTryAgain() bool { return !r.cancel && r.notes.BusyTries < r.BusyTries }

// later ends the run of a job that waits for somebody to let go.
func (r *run) later() error {
	r.pause = r.Pause * time.Duration(1+r.notes.BusyTries)
	r.notes.BusyTries++
	return errAgain
}

// volumeAgain is later for a volume that has then another generation, so that its
// node takes what it is asked for a new operation. Conflict when v is not the row
// as it is now.
func (r *run) volumeAgain(ctx context.Context, v db.Volume, m db.Move, reason error) error {
	err := r.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.MoveVolumeAt(ctx, v, m, sentence(reason), nil)
		return err
	})
	if err != nil {
		return err
	}
	return r.later()
}
