package reconcile

import (
	"context"

	"clinker/db"
)

// mend makes the same change to each of what was found, in a transaction of its
// own, and then tells of it, unless said is nil. That a request was faster is no
// error, and is told of all the same.
func mend[T any](ctx context.Context, r *Reconciler, change func(*db.Tx, context.Context, T) error, said func(T)) func([]T, error) error {
	return func(found []T, err error) error {
		if err != nil {
			return err
		}
		for _, one := range found {
			if err := r.DB.Tx(ctx, func(tx *db.Tx) error { return change(tx, ctx, one) }); err != nil && !gone(err) {
				return err
			}
			if said != nil {
				said(one)
			}
		}
		return nil
	}
}
