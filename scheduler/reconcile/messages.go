package reconcile

import (
	"context"
	"time"
)

func init() {
	chores = append(chores, chore{"expired messages", 10 * time.Minute, (*Reconciler).messages})
}

// messages takes away what users were told long ago.
func (r *Reconciler) messages(ctx context.Context) error {
	_, err := r.DB.DeleteExpiredMessages(ctx)
	return err
}
