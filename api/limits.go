package api

import (
	"net/http"

	"clinker/db"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "limits.show", Method: "GET", Path: "/limits", Status: http.StatusOK, Handler: s.showLimits}}
	})
}

// limitNames map the quota's resources to the words that limits has for them:
// the limit and what is used of it.
var limitNames = []struct {
	resource    string
	limit, used name
}{
	{db.QuotaVolumes, "maxTotalVolumes", "totalVolumesUsed"},
	{db.QuotaSnapshots, "maxTotalSnapshots", "totalSnapshotsUsed"},
	{db.QuotaGigabytes, "maxTotalVolumeGigabytes", "totalGigabytesUsed"},
	{db.QuotaBackups, "maxTotalBackups", "totalBackupsUsed"},
	{db.QuotaBackupGigabytes, "maxTotalBackupGigabytes", "totalBackupGigabytesUsed"},
}

func (s *Server) showLimits(c *Call) (View, error) {
	set, err := c.database().QuotaSet(c.Context(), c.limitsProject(), db.QuotaNames(nil), s.Limits)
	if err != nil {
		return nil, err
	}
	used := c.Can("limits_extension:used_limits", c.caller())
	return func(o object) {
		o.object("limits", func(o object) {
			o.list("rate", nil)
			o.object("absolute", func(o object) {
				for _, n := range limitNames {
					o.int(n.limit, set[n.resource].Limit)
					if used {
						o.int(n.used, set[n.resource].InUse)
					}
				}
			})
		})
	}, nil
}

// limitsProject is the caller's own, or from 3.39 the one that an administrator
// names.
func (c *Call) limitsProject() string {
	if c.Since(39) && c.Identity.IsAdmin {
		for _, name := range []string{"project_id", "tenant_id"} {
			if c.Query.Has(name) {
				return c.Query.Get(name)
			}
		}
	}
	return c.Identity.ProjectID
}
