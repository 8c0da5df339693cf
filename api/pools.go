package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "pools.list", Method: "GET", Path: "/scheduler-stats/get_pools", Status: http.StatusOK,
			Policy: []string{"scheduler_extension:scheduler_stats:get_pools"}, Handler: s.listPools}}
	})
}

func (s *Server) listPools(c *Call) (View, error) {
	detail, err := c.boolean("detail", false)
	if err != nil {
		return nil, err
	}
	keep, err := c.poolFilter()
	if err != nil {
		return nil, err
	}
	all, err := c.database().Pools(c.Context())
	if err != nil {
		return nil, err
	}
	pools := slices.DeleteFunc(all, func(p db.PoolService) bool { return !keep(p) })
	return func(o object) {
		objects(o, "pools", pools, func(o object, p db.PoolService) {
			o.str("name", p.Name)
			if detail {
				o.object("capabilities", func(o object) { c.capabilities(p).write(o) })
			}
		})
	}, nil
}

// poolFilter reads the filters (filters.tsv, pools.list): none before 3.28;
// then any capability; from 3.31 the configured names, for administrators too.
func (c *Call) poolFilter() (func(db.PoolService) bool, error) {
	wanted := map[string]string{}
	if c.Since(28) {
		for name := range c.Query {
			wanted[name] = c.Query.Get(name)
		}
	}
	delete(wanted, "detail")
	if c.Since(31) {
		if err := c.checkPoolFilters(wanted); err != nil {
			return nil, err
		}
	}
	kind, byType := wanted["volume_type"]
	delete(wanted, "volume_type")
	specs, err := c.specsOf(kind, byType && c.Since(35))
	return func(p db.PoolService) bool {
		for name, value := range wanted {
			if text, known := c.poolText(p, name); !known || !strings.EqualFold(text, value) {
				return false
			}
		}
		return specs == nil || c.server.Serves(specs, p)
	}, err
}

func (c *Call) checkPoolFilters(wanted map[string]string) error {
	var refused []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if !slices.Contains(c.server.Filters["pool"], name) && name != "all_tenants" {
			refused = append(refused, name)
		}
	}
	delete(wanted, "all_tenants")
	if len(refused) > 0 {
		return fault.New(fault.Invalid, "Invalid filters %s are found in query options.", strings.Join(refused, ","))
	}
	return nil
}

// specsOf gives the extra specs that pools are held against; nil for no filter.
func (c *Call) specsOf(kind string, wanted bool) (map[string]string, error) {
	if !wanted || kind == "" {
		return nil, nil
	}
	t, err := c.database().VolumeTypeByName(c.Context(), kind, "")
	if err != nil {
		return nil, err
	}
	if c.server.Serves == nil {
		return nil, fault.New(fault.Unsupported, "This server was not told how pools are held against volume types.")
	}
	return t.ExtraSpecs.With(nil), nil
}

// poolText gives a capability as text, for comparing.
func (c *Call) poolText(p db.PoolService, name string) (string, bool) {
	if name == "name" {
		return p.Name, true
	}
	return c.capabilities(p).text(name)
}
