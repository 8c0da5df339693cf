package api

import (
	"encoding/json"
	"net/http"

	"clinker/db"
)

func init() { register(quotaClassRoutes) }

// quotaClassRoutes are the quota classes. Only the class default has an effect:
// it holds for every project that has no limit of its own.
func quotaClassRoutes(s *Server) []Route {
	const item = "/os-quota-class-sets/:class_name"
	return []Route{
		{Name: "quota_classes.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{"volume_extension:quota_classes:get"}, Handler: s.showQuotaClass},
		{Name: "quota_classes.update", Method: "PUT", Path: item, Status: http.StatusOK,
			Policy: []string{"volume_extension:quota_classes:update"}, Handler: s.updateQuotaClass},
	}
}

func (s *Server) showQuotaClass(c *Call) (View, error) {
	class := c.Param("class_name")
	return c.limitsView("quota_class_set", class, class)
}

func (s *Server) updateQuotaClass(c *Call) (View, error) {
	var in struct {
		Set map[string]json.RawMessage `json:"quota_class_set"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	limits, err := c.namedLimits(in.Set, "quota class set")
	if err != nil {
		return nil, err
	}
	class := c.Param("class_name")
	if err := c.tx(func(tx *db.Tx) error { return tx.SetClassLimits(c.Context(), class, limits) }); err != nil {
		return nil, err
	}
	return c.limitsView("quota_class_set", class, "")
}
