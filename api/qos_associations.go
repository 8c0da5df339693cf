package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(qosAssociationRoutes) }

// qosAssociationRoutes change things by GET, as Cinder's do.
func qosAssociationRoutes(s *Server) []Route {
	const item, rule = "/qos-specs/:qos_id", "volume_extension:qos_specs_manage:"
	return []Route{
		{Name: "qos.associations", Method: "GET", Path: item + "/associations", Status: http.StatusOK,
			Policy: []string{rule + "get_all"}, Handler: s.listQosAssociations},
		{Name: "qos.associate", Method: "GET", Path: item + "/associate", Status: http.StatusAccepted,
			Policy: []string{rule + "update"}, Handler: s.associateQos},
		{Name: "qos.disassociate", Method: "GET", Path: item + "/disassociate", Status: http.StatusAccepted,
			Policy: []string{rule + "update"}, Handler: s.disassociateQos},
		{Name: "qos.disassociate_all", Method: "GET", Path: item + "/disassociate_all", Status: http.StatusAccepted,
			Policy: []string{rule + "update"}, Handler: s.disassociateAllQos},
	}
}

// listQosAssociations is all of the types that have the specs, at once.
func (s *Server) listQosAssociations(c *Call) (View, error) {
	q, err := c.database().QosSpecs(c.Context(), c.Param("qos_id"))
	if err != nil {
		return nil, err
	}
	kinds, err := c.database().QosTypes(c.Context(), q.ID)
	return func(o object) {
		objects(o, "qos_associations", kinds, func(o object, t db.VolumeType) {
			o.str("association_type", "volume_type")
			o.str("name", t.Name)
			o.str("id", t.ID)
		})
	}, err
}

func (s *Server) associateQos(c *Call) (View, error) {
	return c.changeAssociation(func(tx *db.Tx, q db.QosSpecs, typeID string) error {
		return tx.Associate(c.Context(), q, typeID)
	})
}

func (s *Server) disassociateQos(c *Call) (View, error) {
	return c.changeAssociation(func(tx *db.Tx, q db.QosSpecs, typeID string) error {
		return tx.Disassociate(c.Context(), q, typeID)
	})
}

// changeAssociation locks the specs of the path for a change that is about the
// type of the query.
func (c *Call) changeAssociation(change func(tx *db.Tx, q db.QosSpecs, typeID string) error) (View, error) {
	typeID := c.Query.Get("vol_type_id")
	if typeID == "" {
		return nil, fault.New(fault.Invalid, "Volume Type id must not be None.")
	}
	return nil, c.tx(func(tx *db.Tx) error {
		q, err := tx.LockQosSpecs(c.Context(), c.Param("qos_id"))
		if err != nil {
			return err
		}
		return change(tx, q, typeID)
	})
}

func (s *Server) disassociateAllQos(c *Call) (View, error) {
	return nil, c.tx(func(tx *db.Tx) error {
		q, err := tx.LockQosSpecs(c.Context(), c.Param("qos_id"))
		if err != nil {
			return err
		}
		return tx.DisassociateAll(c.Context(), q)
	})
}
