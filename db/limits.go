package db

import (
	"context"
	"maps"
	"slices"

	"clinker/internal/fault"
)

// Of gives the limit of one resource; -1 where none is set.
func (l Limits) Of(resource string) int {
	if limit, set := l[resource]; set {
		return limit
	}
	return -1
}

// With gives new limits in which the entries of more win.
func (l Limits) With(more Limits) Limits {
	all := make(Limits, len(l)+len(more))
	maps.Copy(all, l)
	maps.Copy(all, more)
	return all
}

// CheckQuotaCovers refuses limits below what the project uses now: Invalid, with
// the first of them by name. With own it is only about resources for which the
// project has a limit of its own. What is used cannot grow past a limit between
// this check and the end of the transaction, since the counters are locked.
func (t *Tx) CheckQuotaCovers(ctx context.Context, project string, limits Limits, own bool) error {
	var counters []used
	err := t.gorm.Raw(`SELECT resource, in_use FROM quota_usages u WHERE project_id = ? AND resource IN ?
			AND (NOT ? OR EXISTS (SELECT 1 FROM quotas q WHERE q.project_id = u.project_id AND q.resource = u.resource))
		ORDER BY resource COLLATE "C" FOR UPDATE`,
		project, slices.Collect(maps.Keys(limits)), own).Scan(&counters).Error
	if err != nil {
		return err
	}
	for _, c := range counters {
		if limit := limits[c.Resource]; limit >= 0 && c.InUse > limit {
			return fault.New(fault.Invalid, "Quota %s limit must be equal or greater than existing resources. Current usage is %d and the requested limit is %d.",
				c.Resource, c.InUse, limit)
		}
	}
	return nil
}
