package jobs

import (
	"context"
	"time"

	"clinker/db"
)

// tell leaves a message for the user, for as long as the operator's message_ttl
// says. The job ends with that as the reason.
func (r *run) tell(ctx context.Context, tx *db.Tx, m *db.Message) error {
	r.notes.Failure = m.Detail
	if r.MessageTTL > 0 {
		m.ExpiresAt = time.Now().UTC().Add(r.MessageTTL)
	}
	return tx.InsertMessage(ctx, m)
}
