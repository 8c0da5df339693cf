package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.retype", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-retype", Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume:retype"}, Object: true, Handler: s.retypeVolume}}
	})
}

// notRetyped lists Cinder's conditions in Cinder's one sentence.
const notRetyped = "Invalid volume: Retype needs volume to be in available or in-use state, not be part of an active migration or a consistency group, requested type has to be different that the one from the volume, and for in-use volumes front-end qos specs cannot change."

// retypeVolume gives a volume another type, if its pool serves that: the
// scheduler finds out. A private type that the project was not given does not
// exist here either.
func (s *Server) retypeVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Retype struct {
			NewType         string  `json:"new_type"`
			MigrationPolicy *string `json:"migration_policy"`
		} `json:"os-retype"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	kind, err := c.database().VolumeTypeByName(c.Context(), in.Retype.NewType, c.typeScope())
	if err == nil {
		err = c.mayHaveType(v, kind)
	}
	if err != nil {
		return nil, err
	}
	policy := db.MigrateNever
	if in.Retype.MigrationPolicy != nil {
		policy = *in.Retype.MigrationPolicy
	}
	err = c.tx(func(tx *db.Tx) error {
		return tx.BeginRetype(c.Context(), v, kind, policy, c.RequestID, s.Limits)
	})
	if fault.Is(err, fault.Conflict) {
		err = fault.Wrap(err, fault.Invalid, "%s", notRetyped)
	}
	return nil, err
}

// mayHaveType refuses types that the volume could not have whatever its pool.
func (c *Call) mayHaveType(v db.Volume, kind db.VolumeType) error {
	if err := checkTypeSize(kind, v.SizeGiB); err != nil {
		return err
	}
	multiattach := kind.ExtraSpecs.IsTrue("multiattach")
	if multiattach != v.Multiattach && v.Status != "available" {
		return fault.New(fault.Invalid, "Invalid input received: Invalid volume_type passed, retypes affecting multiattach are only allowed on available volumes, the specified volume however currently has a status of: %s.", v.Status)
	}
	if multiattach && !v.Multiattach {
		if err := c.Require("volume:multiattach", ownerOf(v)); err != nil {
			return err
		}
	}
	if multiattach && kind.Encrypted {
		return fault.New(fault.Invalid, "Invalid input received: Retype requested both encryption and multi-attach, which is not supported.")
	}
	return nil
}
