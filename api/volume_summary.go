package api

import (
	"net/http"

	"clinker/db"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volumes.summary", Method: "GET", Path: "/volumes/summary", Since: 12, Status: http.StatusOK,
			Policy: []string{"volume:get_all"}, Handler: s.summarizeVolumes}}
	})
}

// summarizeVolumes tells how many volumes there are and how large they are
// together, in GiB; from 3.36 also every value that each key of their metadata
// has. Of the filters only all_tenants has an effect.
func (s *Server) summarizeVolumes(c *Call) (View, error) {
	all, err := c.allProjects()
	if err != nil {
		return nil, err
	}
	project := &c.Identity.ProjectID
	if all {
		project = nil
	}
	sum, err := c.database().SumVolumes(c.Context(), project)
	if err != nil {
		return nil, err
	}
	var metadata []db.KeyValues
	if c.Since(36) {
		if metadata, err = c.database().VolumeMetadataValues(c.Context(), project); err != nil {
			return nil, err
		}
	}
	return func(o object) {
		o.object("volume-summary", func(o object) {
			o.int("total_count", sum.Count)
			o.int("total_size", sum.SizeGiB)
			if c.Since(36) {
				o.object("metadata", func(o object) {
					for _, m := range metadata {
						o.list(quoted(m.Key), m.Values)
					}
				})
			}
		})
	}, nil
}
