package api

import (
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

// qosBody is what create and update send: specs, and among them two keys that
// are none.
func (c *Call) qosBody() (db.StringMap, error) {
	var in struct {
		Specs db.StringMap `json:"qos_specs"`
	}
	return in.Specs, c.Decode(&in)
}

func (s *Server) createQos(c *Call) (View, error) {
	specs, err := c.qosBody()
	if err != nil {
		return nil, err
	}
	q := db.QosSpecs{ID: uuid.NewString(), Name: strings.TrimSpace(specs["name"]), Consumer: specs["consumer"], Specs: specs}
	if q.Consumer == "" {
		q.Consumer = db.ConsumerBackEnd
	}
	delete(specs, "name")
	delete(specs, "consumer")
	if err := checkQos(q); err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error { return tx.InsertQosSpecs(c.Context(), &q) })
	return c.qosAnswer(q), err
}

// updateQos adds or changes keys; the others stay. The answer is the body.
func (s *Server) updateQos(c *Call) (View, error) {
	sent, err := c.qosBody()
	if err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error {
		q, err := tx.LockQosSpecs(c.Context(), c.Param("qos_id"))
		if err != nil {
			return err
		}
		q.Specs = q.Specs.With(sent)
		if consumer, given := sent["consumer"]; given {
			q.Consumer = consumer
			delete(q.Specs, "consumer")
		}
		if err := checkQos(q); err != nil {
			return err
		}
		return tx.UpdateQosSpecs(c.Context(), q.ID, map[string]any{"consumer": q.Consumer, "specs": q.Specs})
	})
	return func(o object) { o.strings("qos_specs", sent) }, err
}

var qosConsumers = []string{db.ConsumerFrontEnd, db.ConsumerBackEnd, db.ConsumerBoth}

// checkQos refuses a consumer that is none, and limits per GiB that are no
// numbers: nobody could be told at an attachment what they come to.
func checkQos(q db.QosSpecs) error {
	if !slices.Contains(qosConsumers, q.Consumer) {
		return fault.New(fault.Invalid, "Invalid qos specs: Valid consumer of QoS specs are: %s", strings.Join(qosConsumers, ", "))
	}
	for _, key := range db.QosKeysPerGiB() {
		value, given := q.Specs[key]
		if n, err := strconv.ParseInt(value, 10, 64); given && (err != nil || n < 0) {
			return fault.New(fault.Invalid, "Invalid qos specs: %s must be a whole number of 0 or more, but is '%s'.", key, value)
		}
	}
	return nil
}

// deleteQos with force takes the specs from the types that have them.
func (s *Server) deleteQos(c *Call) (View, error) {
	force, err := c.boolean("force", false)
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error {
		q, err := tx.LockQosSpecs(c.Context(), c.Param("qos_id"))
		if err != nil {
			return err
		}
		used, err := tx.QosInUse(c.Context(), q.ID)
		if err == nil && used && !force {
			err = fault.New(fault.Invalid, "Qos specs still in use.")
		}
		if err != nil {
			return err
		}
		return tx.DeleteQosSpecs(c.Context(), q.ID)
	})
}

// deleteQosKeys takes all the keys away, or none when one of them is not there.
func (s *Server) deleteQosKeys(c *Call) (View, error) {
	var in struct {
		Keys []string `json:"keys"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error {
		q, err := tx.LockQosSpecs(c.Context(), c.Param("qos_id"))
		if err != nil {
			return err
		}
		left := q.Specs.With(nil)
		for _, key := range in.Keys {
			if _, known := left[key]; !known {
				return fault.New(fault.NotFound, "QoS spec %s has no spec with key %s.", q.ID, key)
			}
			delete(left, key)
		}
		return tx.UpdateQosSpecs(c.Context(), q.ID, map[string]any{"specs": left})
	})
}
