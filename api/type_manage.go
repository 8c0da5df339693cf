package api

import (
	"strings"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

func (s *Server) createType(c *Call) (View, error) {
	in := struct {
		Type struct {
			Name        string       `json:"name"`
			Description *string      `json:"description"`
			ExtraSpecs  db.StringMap `json:"extra_specs"`
			IsPublic    boolish      `json:"os-volume-type-access:is_public"`
		} `json:"volume_type"`
	}{}
	in.Type.IsPublic = true
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := checkCacheable(in.Type.ExtraSpecs); err != nil {
		return nil, err
	}
	kind := db.VolumeType{
		ID: uuid.NewString(), Name: in.Type.Name, Description: in.Type.Description,
		IsPublic: bool(in.Type.IsPublic), ExtraSpecs: in.Type.ExtraSpecs,
	}
	err := c.tx(func(tx *db.Tx) error { return tx.InsertVolumeType(c.Context(), &kind) })
	return c.writtenType(kind, true), err
}

func (s *Server) updateType(c *Call) (View, error) {
	var in struct {
		Type typeChange `json:"volume_type"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	set, err := in.Type.columns("Volume")
	if err != nil {
		return nil, err
	}
	if len(set) == 0 {
		return nil, fault.New(fault.Invalid, "Specify volume type name, description, is_public or a combination thereof.")
	}
	kind, err := c.changeType(set, in.Type.Name)
	return c.writtenType(kind, false), err
}

// changeType writes the columns. A new name also becomes that of the type's
// quotas and of what is counted against them.
func (c *Call) changeType(set map[string]any, name *string) (kind db.VolumeType, err error) {
	return kind, c.tx(func(tx *db.Tx) error {
		before, err := tx.LockVolumeType(c.Context(), c.Param("type_id"))
		if err != nil {
			return err
		}
		if kind, err = tx.UpdateVolumeType(c.Context(), before.ID, set); err != nil {
			return err
		}
		if name == nil || *name == before.Name {
			return nil
		}
		return tx.RenameTypeQuota(c.Context(), before.Name, *name)
	})
}

func (s *Server) deleteType(c *Call) (View, error) {
	kind, err := c.volumeType()
	if err != nil {
		return nil, err
	}
	if kind.Name == s.DefaultType {
		return nil, db.TypeIsDefault(kind.ID)
	}
	return nil, c.tx(func(tx *db.Tx) error { return tx.DeleteVolumeType(c.Context(), kind.ID) })
}

// typeChange is what may be changed of a volume type or a group type; nil stays.
type typeChange struct {
	Name        *string  `json:"name"`
	Description *string  `json:"description"`
	IsPublic    *boolish `json:"is_public"`
}

// columns gives what is to be written. what, Volume or Group, is for messages.
func (t typeChange) columns(what string) (map[string]any, error) {
	set := map[string]any{}
	if t.Name != nil {
		if strings.TrimSpace(*t.Name) == "" {
			return nil, fault.New(fault.Invalid, "%s type name can not be empty.", what)
		}
		set["name"] = *t.Name
	}
	if t.Description != nil {
		set["description"] = *t.Description
	}
	if t.IsPublic != nil {
		set["is_public"] = bool(*t.IsPublic)
	}
	return set, nil
}
