package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(quotaRoutes) }

func quotaRoutes(s *Server) []Route {
	const item = "/os-quota-sets/:target_project_id"
	return []Route{
		{Name: "quotas.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{"volume_extension:quotas:show"}, Object: true, Handler: s.showQuota},
		{Name: "quotas.defaults", Method: "GET", Path: item + "/defaults", Status: http.StatusOK,
			Policy: []string{"volume_extension:quotas:show"}, Object: true, Handler: s.showDefaultQuota},
		{Name: "quotas.update", Method: "PUT", Path: item, Status: http.StatusOK,
			Policy: []string{"volume_extension:quotas:update"}, Object: true, Handler: s.updateQuota},
		{Name: "quotas.delete", Method: "DELETE", Path: item, Status: http.StatusOK,
			Policy: []string{"volume_extension:quotas:delete"}, Object: true, Handler: s.deleteQuota},
	}
}

// maxProjectID is the length of the longest id that Keystone gives a project, in
// characters.
const maxProjectID = 255

// quotaOwner asks the policy about the project that the path names. Whether
// there is such a project is Keystone's affair.
func (c *Call) quotaOwner() (string, error) {
	project := c.Param("target_project_id")
	return project, c.Allow(Owner{ProjectID: project})
}

// quotaNames lists the resources of every quota set.
func (c *Call) quotaNames() ([]string, error) {
	kinds, err := c.database().TypeNames(c.Context())
	return db.QuotaNames(kinds), err
}

func (s *Server) showQuota(c *Call) (View, error) {
	project, err := c.quotaOwner()
	if err != nil {
		return nil, err
	}
	usage, err := c.boolean("usage", false)
	if err != nil {
		return nil, err
	}
	return c.quotaSet(project, usage, project)
}

// quotaSet is the view of what a project may use, and with usage what it does.
// id is left out when it is "": the answer to an update has none.
func (c *Call) quotaSet(project string, usage bool, id string) (View, error) {
	names, err := c.quotaNames()
	if err != nil {
		return nil, err
	}
	set, err := c.database().QuotaSet(c.Context(), project, names, c.server.Limits)
	return func(o object) {
		o.object("quota_set", func(o object) {
			for _, name := range names {
				if usage {
					o.object(quoted(name), func(o object) { quotaUsage(o, set[name]) })
				} else {
					o.int(quoted(name), set[name].Limit)
				}
			}
			if id != "" {
				o.str("id", id)
			}
		})
	}, err
}

// quotaUsage has the fields of quota_set.usage.item. Nothing is ever only
// reserved: use is counted in the transaction that makes it.
func quotaUsage(o object, q db.QuotaItem) {
	o.int("limit", q.Limit)
	o.int("in_use", q.InUse)
	o.int("reserved", 0)
}

func (s *Server) showDefaultQuota(c *Call) (View, error) {
	project, err := c.quotaOwner()
	if err != nil {
		return nil, err
	}
	return c.limitsView("quota_set", "default", project)
}

// limitsView writes limits by resource: the default class's, over which those
// of another class are laid.
func (c *Call) limitsView(key name, class, id string) (View, error) {
	names, err := c.quotaNames()
	if err != nil {
		return nil, err
	}
	limits, err := c.classLimits(class)
	return func(o object) {
		o.object(key, func(o object) {
			for _, name := range names {
				o.int(quoted(name), limits.Of(name))
			}
			if id != "" {
				o.str("id", id)
			}
		})
	}, err
}

func (c *Call) classLimits(class string) (db.Limits, error) {
	limits, err := c.database().ClassLimits(c.Context(), "default")
	if err != nil {
		return nil, err
	}
	limits = c.server.Limits.With(limits)
	if class == "default" {
		return limits, nil
	}
	own, err := c.database().ClassLimits(c.Context(), class)
	return limits.With(own), err
}

// updateQuota accepts a limit below what is used with skip_validation=true, since
// nothing is taken away, and refuses it with false. Where the request says nothing
// it is refused, as in Cinder, when the project has a limit of its own already.
func (s *Server) updateQuota(c *Call) (View, error) {
	project, err := c.quotaOwner()
	if err == nil && utf8.RuneCountInString(project) > maxProjectID {
		err = fault.New(fault.Invalid, "Invalid input received: quota_set_name has %d characters, more than %d.", utf8.RuneCountInString(project), maxProjectID)
	}
	if err != nil {
		return nil, err
	}
	limits, err := c.quotaBody()
	if err != nil {
		return nil, err
	}
	lenient, err := c.boolean("skip_validation", true)
	if err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error {
		if !lenient || !c.Query.Has("skip_validation") {
			if err := tx.CheckQuotaCovers(c.Context(), project, limits, lenient); err != nil {
				return err
			}
		}
		return tx.SetQuota(c.Context(), project, limits)
	})
	if err != nil {
		return nil, err
	}
	return c.quotaSet(project, false, "")
}

// quotaBody reads the limits of a quota_set, whose form the schema has checked
// and whose names are known only here.
func (c *Call) quotaBody() (db.Limits, error) {
	var in struct {
		Set map[string]json.RawMessage `json:"quota_set"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	delete(in.Set, "tenant_id")
	delete(in.Set, "id")
	return c.namedLimits(in.Set, "quota set")
}

// namedLimits refuses names that are no quota.
func (c *Call) namedLimits(values map[string]json.RawMessage, kind string) (db.Limits, error) {
	names, err := c.quotaNames()
	if err != nil {
		return nil, err
	}
	limits, unknown := db.Limits{}, []string{}
	for name, raw := range values {
		if !slices.Contains(names, name) {
			unknown = append(unknown, name)
			continue
		}
		var limit gib
		if err := json.Unmarshal(raw, &limit); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "Invalid input for field/attribute %s. Value: %s. It must be a whole number.", name, raw)
		}
		limits[name] = int(limit)
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return nil, fault.New(fault.Invalid, "Invalid input received: Bad key(s) in %s: %s", kind, strings.Join(unknown, ", "))
	}
	return limits, nil
}

func (s *Server) deleteQuota(c *Call) (View, error) {
	project, err := c.quotaOwner()
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error { return tx.ClearQuota(c.Context(), project) })
}
