package db

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const planCacheMode = "plan_cache_mode"

// Option changes how Open connects.
type Option func(*pgxpool.Config)

// PlanOnce has each connection plan a statement for all its arguments at once,
// and not for each of the first five anew: for processes whose statements are
// about one row each.
func PlanOnce(c *pgxpool.Config) {
	c.ConnConfig.RuntimeParams[planCacheMode] = "force_generic_plan"
}

// Traced has every statement told to the tracer, those of GORM and River too.
func Traced(tracer pgx.QueryTracer) Option {
	return func(c *pgxpool.Config) { c.ConnConfig.Tracer = tracer }
}
