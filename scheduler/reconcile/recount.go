package reconcile

import (
	"context"
	"time"

	"clinker/db"
)

func init() {
	chores = append(chores,
		chore{"quota", 5 * time.Minute, (*Reconciler).recountQuota},
		chore{"pools", 5 * time.Minute, (*Reconciler).recountPools})
}

func (r *Reconciler) recountQuota(ctx context.Context) error {
	differences, err := r.DB.RecountQuota(ctx)
	report(ctx, "quota", differences)
	return err
}

func (r *Reconciler) recountPools(ctx context.Context) error {
	differences, err := r.DB.RecountPools(ctx)
	report(ctx, "pools", differences)
	return err
}

// report raises an alarm for each counter that is wrong.
func report(ctx context.Context, chore string, differences []db.Difference) {
	for _, d := range differences {
		alarm(ctx, chore, "a counter is wrong: "+d.String())
	}
}
