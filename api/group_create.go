package api

import (
	"slices"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

func (s *Server) createGroup(c *Call) (View, error) {
	var in struct {
		Group struct {
			Name        *trimmed `json:"name"`
			Description *trimmed `json:"description"`
			GroupType   trimmed  `json:"group_type"`
			VolumeTypes []string `json:"volume_types"`
			Zone        trimmed  `json:"availability_zone"`
		} `json:"group"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	kind, err := c.database().GroupTypeByName(c.Context(), string(in.Group.GroupType), c.Identity.IsAdmin)
	if err == nil {
		err = reserved(kind.Name == db.ConsistencyType, kind.ID, "group")
	}
	if err != nil {
		return nil, err
	}
	g := c.newGroup(in.Group.Name, in.Group.Description, kind.ID)
	if err := c.insertGroup(&g, in.Group.VolumeTypes, string(in.Group.Zone)); err != nil {
		return nil, err
	}
	return groupAnswer("group", g), nil
}

// newGroup is a group of the caller's.
func (c *Call) newGroup(name, description *trimmed, kind string) db.Group {
	replication := "disabled"
	return db.Group{ID: uuid.NewString(), ProjectID: c.Identity.ProjectID, UserID: c.Identity.UserID,
		Name: name.optional(), Description: description.optional(), GroupTypeID: kind,
		AvailabilityZone: c.server.ShownZone, ReplicationStatus: &replication, RequestID: c.RequestID}
}

// insertGroup writes row, quota and job in one transaction. Volume types are
// given by id or by name.
func (c *Call) insertGroup(g *db.Group, types []string, zone string) error {
	for _, name := range types {
		kind, err := c.database().VolumeTypeByName(c.Context(), name, c.Scope())
		if err != nil {
			return err
		}
		g.VolumeTypes = append(g.VolumeTypes, kind.ID)
	}
	zones, err := c.zones(zone, db.VolumeType{})
	if err != nil {
		return err
	}
	if len(zones) > 0 {
		g.AvailabilityZone = zones[0]
	}
	return c.tx(func(tx *db.Tx) error {
		if err := tx.InsertGroup(c.Context(), g, c.server.Limits); err != nil {
			return err
		}
		return tx.Enqueue(c.Context(), db.GroupCreateArgs{GroupID: g.ID, Request: c.RequestID, Zones: zones})
	})
}

// volumeGroup is the group that a new volume is to be in.
type volumeGroup struct{ db.Group }

// groupFor finds it, nil for none. The volume's type must be given.
func (c *Call) groupFor(in volumeRequest) (*volumeGroup, error) {
	id := in.Volume.GroupID
	if id == "" {
		id = in.Volume.ConsistencyGroup
	}
	if id == "" {
		return nil, nil
	}
	g, err := c.readGroup(id)
	if err == nil && g.ProjectID != c.Identity.ProjectID {
		err = fault.New(fault.Invalid, "Invalid Group: Cannot create a volume in group %s as they belong to different projects.", id)
	}
	if err == nil && in.Volume.VolumeType == "" {
		err = fault.New(fault.Invalid, "Invalid input received: volume_type must be provided when creating a volume in a group.")
	}
	return &volumeGroup{g}, err
}

// admit puts the volume into the group, if its type is one of the group's.
func (g *volumeGroup) admit(v *db.Volume) error {
	if !slices.Contains(g.VolumeTypes, v.VolumeTypeID) {
		return fault.New(fault.Invalid, "Invalid input received: Invalid volume_type provided: %s (requested type must be supported by this group).", v.VolumeTypeID)
	}
	v.GroupID, v.Consistency = &g.ID, g.Consistency
	return g.TakesVolumes()
}
