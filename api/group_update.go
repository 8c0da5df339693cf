package api

import (
	"slices"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

// groupUpdate is what an update of a group may say.
type groupUpdate struct {
	Name          *trimmed `json:"name"`
	Description   *trimmed `json:"description"`
	AddVolumes    *string  `json:"add_volumes"`
	RemoveVolumes *string  `json:"remove_volumes"`
}

func (s *Server) updateGroup(c *Call) (View, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	var in struct {
		Group groupUpdate `json:"group"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return nil, c.changeGroup(g, in.Group)
}

// changeGroup does what an update says; what is so already is nothing.
func (c *Call) changeGroup(g db.Group, in groupUpdate) error {
	change := db.GroupChange{Name: changed(g.Name, in.Name), Description: changed(g.Description, in.Description),
		Add: commaList(in.AddVolumes), Remove: commaList(in.RemoveVolumes)}
	both := slices.DeleteFunc(slices.Clone(change.Add), func(id string) bool { return !slices.Contains(change.Remove, id) })
	if len(both) > 0 {
		return fault.New(fault.Invalid, "Invalid volume: UUIDs ['%s'] are in both add and remove volume list.", strings.Join(both, "', '"))
	}
	members, err := c.database().VolumesOfGroups(c.Context(), g.ID)
	if err != nil {
		return err
	}
	change.Add = slices.DeleteFunc(change.Add, func(id string) bool { return slices.Contains(members[g.ID], id) })
	if change.Name == nil && change.Description == nil && len(change.Add)+len(change.Remove) == 0 {
		return fault.New(fault.Invalid, "Invalid Group: Cannot update group %s because no valid name, description, add_volumes, or remove_volumes were provided.", g.ID)
	}
	return c.tx(func(tx *db.Tx) error { return tx.ChangeGroup(c.Context(), g, change) })
}

// changed gives a text that is another than before, nil otherwise.
func changed(before *string, to *trimmed) *string {
	text := to.optional()
	if text == nil || before != nil && *before == *text {
		return nil
	}
	return text
}

// commaList takes a list apart as Cinder does, where commas at its ends are
// nothing.
func commaList(text *string) []string {
	if text == nil {
		return nil
	}
	trimmed := strings.Trim(*text, ",")
	if trimmed == "" {
		return nil
	}
	return strings.Split(trimmed, ",")
}
