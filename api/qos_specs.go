package api

import (
	"net/http"

	"clinker/db"
)

func init() { register(qosRoutes) }

// qosRoutes are /qos-specs and /qos-specs/{id}; which types have them is in
// qos_associations.go.
func qosRoutes(s *Server) []Route {
	const items, item, rule = "/qos-specs", "/qos-specs/:qos_id", "volume_extension:qos_specs_manage:"
	return []Route{
		{Name: "qos.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{rule + "get_all"}, Handler: s.listQos},
		{Name: "qos.create", Method: "POST", Path: items, Status: http.StatusOK,
			Policy: []string{rule + "create"}, Handler: s.createQos},
		{Name: "qos.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{rule + "get"}, Handler: s.showQos},
		{Name: "qos.update", Method: "PUT", Path: item, Status: http.StatusOK,
			Policy: []string{rule + "update"}, Handler: s.updateQos},
		{Name: "qos.delete", Method: "DELETE", Path: item, Status: http.StatusAccepted,
			Policy: []string{rule + "delete"}, Handler: s.deleteQos},
		{Name: "qos.delete_keys", Method: "PUT", Path: item + "/delete_keys", Status: http.StatusAccepted,
			Policy: []string{rule + "delete"}, Handler: s.deleteQosKeys},
	}
}

// qosFields has the fields of qos (fields.tsv).
func qosFields(o object, q db.QosSpecs) {
	o.str("id", q.ID)
	o.str("name", q.Name)
	o.str("consumer", q.Consumer)
	o.strings("specs", q.Specs)
}

// qosAnswer has the links beside the specs, not in them.
func (c *Call) qosAnswer(q db.QosSpecs) View {
	return func(o object) {
		o.object("qos_specs", func(o object) { qosFields(o, q) })
		c.links(o, "/qos-specs", q.ID)
	}
}

// qosFilters: three columns are for everybody whom the policy lets in, and any
// for administrators; no other is ever refused.
var qosFilters = filterSpec{
	resource: "qos_specs",
	equal:    db.QosSpecsFilter,
	always:   []string{"id", "name", "consumer"},
	refusing: MaxVersion + 1,
}

func (s *Server) listQos(c *Call) (View, error) {
	q, err := c.page(nil)
	if err != nil {
		return nil, err
	}
	if q.Where, err = c.filters(qosFilters); err != nil {
		return nil, err
	}
	found, err := c.database().ListQosSpecs(c.Context(), q)
	if err != nil {
		return nil, err
	}
	return func(o object) {
		objects(o, "qos_specs", found, qosFields)
		if len(found) > 0 {
			c.next(o, "qos_specs_links", "/qos-specs", q, len(found), found[len(found)-1].ID)
		}
	}, nil
}

func (s *Server) showQos(c *Call) (View, error) {
	q, err := c.database().QosSpecs(c.Context(), c.Param("qos_id"))
	return c.qosAnswer(q), err
}
