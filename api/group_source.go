package api

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "group_actions.create_from_src", Method: "POST", Path: "/groups/action", Action: "create-from-src",
			Since: 14, Status: http.StatusAccepted, Policy: []string{"group:create"}, Handler: s.copyGroup}}
	})
}

// groupCopy is what a group is to be made of: one of the two sources.
type groupCopy struct {
	Name            *trimmed
	Description     *trimmed
	GroupSnapshotID string
	SourceGroupID   string
}

// copyGroup makes a group of a group snapshot, or of another group.
func (s *Server) copyGroup(c *Call) (View, error) {
	var in struct {
		Copy struct {
			Name            *trimmed `json:"name"`
			Description     *trimmed `json:"description"`
			GroupSnapshotID string   `json:"group_snapshot_id"`
			SourceGroupID   string   `json:"source_group_id"`
		} `json:"create-from-src"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	from := groupCopy(in.Copy)
	if (from.GroupSnapshotID == "") == (from.SourceGroupID == "") {
		return nil, fault.New(fault.Invalid, "Invalid input for field/attribute create-from-src: exactly one of group_snapshot_id and source_group_id is needed.")
	}
	source, err := c.groupSource(from)
	if err == nil {
		err = reserved(source.Consistency, source.GroupTypeID, "group")
	}
	if err != nil {
		return nil, err
	}
	g, err := c.insertCopy(from, source)
	if err != nil {
		return nil, err
	}
	return groupAnswer("group", g), nil
}

// mayUseTypes is NotFound when one of the volume types is private and not the
// caller's to use.
func (c *Call) mayUseTypes(ids []string) error {
	for _, id := range ids {
		if _, err := c.database().VolumeType(c.Context(), id, c.Scope()); err != nil {
			return err
		}
	}
	return nil
}

// groupSource gives the group that is copied, or that the group snapshot is of.
func (c *Call) groupSource(from groupCopy) (db.Group, error) {
	if from.SourceGroupID != "" {
		return c.readGroup(from.SourceGroupID)
	}
	gs, err := c.readGroupSnapshot(from.GroupSnapshotID)
	if err != nil {
		return db.Group{}, err
	}
	return c.database().Group(c.Context(), gs.GroupID, "")
}

// insertCopy writes the group and a volume for each member of the source, which
// are made as every copy is; the group is there when they are. Cinder answers
// 400 when a quota does not allow it.
func (c *Call) insertCopy(from groupCopy, source db.Group) (db.Group, error) {
	g := c.newGroup(from.Name, from.Description, source.GroupTypeID)
	g.VolumeTypes, g.AvailabilityZone, g.PoolID = source.VolumeTypes, source.AvailabilityZone, source.PoolID
	if from.GroupSnapshotID != "" {
		g.GroupSnapshotID = &from.GroupSnapshotID
	} else {
		g.SourceGroupID = &from.SourceGroupID
	}
	if source.PoolID == nil {
		return g, fault.New(fault.Invalid, "Invalid Group: No valid host to create group %s.", g.ID)
	}
	if err := c.mayUseTypes(source.VolumeTypes); err != nil {
		return g, err
	}
	copied, err := c.copyGroupKeys(from)
	if err != nil {
		return g, err
	}
	err = c.tx(func(tx *db.Tx) error {
		members, err := c.copiedMembers(tx, from)
		if err != nil {
			return err
		}
		if err := tx.InsertGroup(c.Context(), &g, c.server.Limits); err != nil {
			return err
		}
		for _, v := range members {
			if err := c.insertMember(tx, g, v, copied); err != nil {
				return err
			}
		}
		return tx.Enqueue(c.Context(), db.GroupCreateArgs{GroupID: g.ID, Request: c.RequestID})
	})
	if err != nil {
		copied.abandon()
	}
	if fault.Is(err, fault.OverQuota) {
		_, text, _ := strings.Cut(fault.MessageOf(err), ": ")
		err = fault.Wrap(err, fault.Invalid, "%s", text)
	}
	return g, err
}

// copiedMembers are the volumes to be made, as far as the source tells of them.
func (c *Call) copiedMembers(tx *db.Tx, from groupCopy) (members []db.Volume, err error) {
	if from.GroupSnapshotID != "" {
		snapshots, err := tx.HoldGroupSnapshot(c.Context(), from.GroupSnapshotID)
		for _, s := range snapshots {
			members = append(members, db.Volume{SnapshotID: &s.ID, SizeGiB: s.SizeGiB, VolumeTypeID: s.VolumeTypeID,
				Bootable: s.Bootable, ImageMetadata: s.ImageMetadata, EncryptionKeyID: s.EncryptionKeyID})
		}
		return members, err
	}
	volumes, err := tx.HoldGroupMembers(c.Context(), from.SourceGroupID)
	for _, v := range volumes {
		members = append(members, db.Volume{SourceVolid: &v.ID, SizeGiB: v.SizeGiB, VolumeTypeID: v.VolumeTypeID,
			Bootable: v.Bootable, ImageMetadata: v.ImageMetadata, EncryptionKeyID: v.EncryptionKeyID})
	}
	return members, err
}

// insertMember writes one of them, with its quota and its job.
func (c *Call) insertMember(tx *db.Tx, g db.Group, v db.Volume, copied groupKeys) error {
	v.ID, v.ProjectID, v.UserID, v.GroupID = uuid.NewString(), g.ProjectID, g.UserID, &g.ID
	v.Status, v.Generation, v.ConsumesQuota, v.RequestID = "creating", 1, true, c.RequestID
	v.AvailabilityZone, v.Metadata = g.AvailabilityZone, db.StringMap{}
	name, specs, err := tx.HoldTypeSpecs(c.Context(), v.VolumeTypeID)
	if err != nil {
		return err
	}
	v.Multiattach = specs.IsTrue("multiattach")
	if err := tx.Use(c.Context(), v.ProjectID, db.VolumeUse(v.SizeGiB, name, 1), c.server.Limits); err != nil {
		return err
	}
	if err := copied.give(tx, &v); err != nil {
		return err
	}
	if err := tx.InsertVolume(c.Context(), &v); err != nil {
		return err
	}
	return tx.Enqueue(c.Context(), db.VolumeCreateArgs{VolumeID: v.ID, Request: c.RequestID})
}
