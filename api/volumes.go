package api

import (
	"context"
	"net/http"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(volumeRoutes) }

// volumeRoutes are /volumes and /volumes/{id}; what is done to a volume by
// …/action is in the volume_*.go files.
func volumeRoutes(s *Server) []Route {
	const items, item = "/volumes", "/volumes/:volume_id"
	return []Route{
		{Name: "volumes.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{"volume:get_all"}, Handler: s.listVolumes},
		{Name: "volumes.detail", Method: "GET", Path: items + "/detail", Status: http.StatusOK,
			Policy: []string{"volume:get_all"}, Handler: s.detailVolumes},
		{Name: "volumes.create", Method: "POST", Path: items, Status: http.StatusAccepted,
			Policy: []string{"volume:create"}, Handler: s.createVolume},
		{Name: "volumes.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{"volume:get"}, Object: true, Handler: s.showVolume},
		{Name: "volumes.update", Method: "PUT", Path: item, Status: http.StatusOK,
			Policy: []string{"volume:get", "volume:update"}, Object: true, Handler: s.updateVolume},
		{Name: "volumes.delete", Method: "DELETE", Path: item, Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume:delete"}, Object: true, Handler: s.deleteVolume},
	}
}

// volume reads the volume that the path names and asks the policy about it. A
// volume that the caller may not get does not exist for them.
func (c *Call) volume() (db.Volume, error) { return c.volumeBy(c.database().Volume) }

func (c *Call) volumeBy(read func(ctx context.Context, id, scope string) (db.Volume, error)) (db.Volume, error) {
	id := c.Param("volume_id")
	v, err := read(c.Context(), id, c.Scope())
	if err != nil {
		return v, err
	}
	owner := ownerOf(v)
	if !c.Can("volume:get", owner) {
		return v, db.VolumeNotFound(id)
	}
	return v, c.Allow(owner)
}

func ownerOf(v db.Volume) Owner { return Owner{v.ProjectID, v.UserID} }

// volumeRename maps the API's names of columns to the table's.
var volumeRename = map[string]string{"name": "display_name", "description": "display_description"}

var volumeFilters = filterSpec{
	resource: "volume",
	rename:   volumeRename,
	equal:    db.VolumeFilter,
	like:     db.VolumeLike,
	of:       db.VolumesOf,
	every:    &db.EveryProject,
	since: map[string]Version{"glance_metadata": 4, "group_id": 10, "created_at": 60, "updated_at": 60,
		"consumes_quota": 65},
	special: map[string]func(*Call, string) ([]db.Condition, error){
		"metadata":        dictFilter("metadata", db.VolumeHas),
		"glance_metadata": dictFilter("glance_metadata", db.VolumeHas),
		"bootable":        bootableFilter,
		"consumes_quota":  strictBool("consumes_quota", db.VolumeFilter),
		"created_at":      timeFilter("created_at"),
		"updated_at":      timeFilter("updated_at"),
		"host": func(_ *Call, value string) ([]db.Condition, error) {
			return []db.Condition{db.VolumeHost(value)}, nil
		},
		"no_migration_targets": func(_ *Call, value string) ([]db.Condition, error) {
			if !booleans[strings.ToLower(value)] {
				return nil, nil
			}
			return []db.Condition{db.NoMigrationTargets}, nil
		},
	},
}

// volumeQuery reads a list's query and tells whether the total is wanted too.
// Only an administrator sees what a migration makes.
func (c *Call) volumeQuery() (db.Query, bool, error) {
	q, withCount, err := c.countedQuery(volumeFilters, volumeRename)
	if !c.Identity.IsAdmin {
		q.Where = append(q.Where, db.NoMigrationTargets)
	}
	return q, withCount, err
}

func (s *Server) listVolumes(c *Call) (View, error) {
	return c.volumeList("/volumes", false, func(o object, v volumeView) { c.volumeSummary(o, v) })
}

func (s *Server) detailVolumes(c *Call) (View, error) {
	see := c.volumeVisible(c.caller())
	return c.volumeList("/volumes/detail", true, func(o object, v volumeView) { c.volumeDetail(o, v, see, true) })
}

// volumeBytes is about how long a volume's view is, so that the text of a list
// need not be copied again and again while it grows.
const volumeBytes = 1000

// volumeList runs at most three statements: the page, its attachments, the count.
func (c *Call) volumeList(path string, detail bool, view func(object, volumeView)) (View, error) {
	q, withCount, err := c.volumeQuery()
	if err != nil {
		return nil, err
	}
	found, total, err := counted(c, q, withCount, c.database().Volumes, c.database().CountVolumes)
	if err != nil {
		return nil, err
	}
	var attachments map[string][]db.Attachment
	if detail {
		if attachments, err = c.attachmentsOf(found); err != nil {
			return nil, err
		}
	}
	return func(o object) {
		o.w.Grow(len(found) * volumeBytes)
		objects(o, "volumes", found, func(o object, v db.Volume) { view(o, volumeView{Volume: v, attachments: attachments[v.ID]}) })
		if len(found) > 0 {
			c.next(o, "volumes_links", path, q, len(found), found[len(found)-1].ID)
		}
		total(o)
	}, nil
}

// attachmentsOf reads the attachments of those volumes that can have any.
func (c *Call) attachmentsOf(found []db.Volume) (map[string][]db.Attachment, error) {
	var ids []string
	for _, v := range found {
		if v.Status != "available" && v.Status != "creating" {
			ids = append(ids, v.ID)
		}
	}
	return c.database().AttachmentsOf(c.Context(), ids...)
}

func (s *Server) showVolume(c *Call) (View, error) {
	v, err := c.volumeBy(c.database().VolumeShown)
	if err != nil {
		return nil, err
	}
	attachments, err := c.attachmentsOf([]db.Volume{v})
	if err != nil {
		return nil, err
	}
	progress, err := c.progressOf(v)
	if err != nil {
		return nil, err
	}
	return c.volumeAnswer(volumeView{v, attachments[v.ID], progress}, true), nil
}

func (c *Call) volumeAnswer(v volumeView, extended bool) View {
	see := c.volumeVisible(ownerOf(v.Volume))
	return func(o object) {
		o.object("volume", func(o object) { c.volumeDetail(o, v, see, extended) })
	}
}

func (s *Server) updateVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Volume struct {
			Name               given[trimmed]    `json:"name"`
			DisplayName        given[trimmed]    `json:"display_name"`
			Description        given[trimmed]    `json:"description"`
			DisplayDescription given[trimmed]    `json:"display_description"`
			Metadata           map[string]string `json:"metadata"`
		} `json:"volume"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := notInMaintenance(v, "The volume cannot be updated during maintenance."); err != nil {
		return nil, err
	}
	set := map[string]any{}
	if name := firstGiven(in.Volume.Name, in.Volume.DisplayName); name.is {
		set["name"] = name.value.optional()
	}
	if description := firstGiven(in.Volume.Description, in.Volume.DisplayDescription); description.is {
		set["description"] = description.value.optional()
	}
	if in.Volume.Metadata != nil {
		set["metadata"] = db.StringMap(in.Volume.Metadata)
	}
	if len(set) > 0 {
		before := v
		err = c.tx(func(tx *db.Tx) error {
			v, err = tx.UpdateVolume(c.Context(), v.ID, set)
			return err
		})
		if err != nil {
			return nil, err
		}
		v.VolumeType, v.Consistency = before.VolumeType, before.Consistency
	}
	attachments, err := c.attachmentsOf([]db.Volume{v})
	return c.volumeAnswer(volumeView{Volume: v, attachments: attachments[v.ID]}, false), err
}

// notInMaintenance refuses, in a sentence of Cinder's, what must not be done to a
// volume in maintenance.
func notInMaintenance(v db.Volume, sentence string) error {
	if v.Status != "maintenance" {
		return nil
	}
	return fault.New(fault.Invalid, "Invalid volume: %s", sentence)
}

func firstOf[T any](values ...*T) *T {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

// undeletable lists Cinder's conditions in Cinder's one sentence; by force the
// status is none of them.
const (
	undeletable        = "Invalid volume: Volume status must be available or error or error_restoring or error_extending or error_managing and " + heldBack
	undeletableByForce = "Invalid volume: Volume " + heldBack
	heldBack           = "must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer."
)

func (s *Server) deleteVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	cascade, err := c.boolean("cascade", false)
	if err != nil {
		return nil, err
	}
	force := false
	if c.Since(23) {
		if force, err = c.boolean("force", false); err != nil {
			return nil, err
		}
	}
	if force {
		if err := c.Require("volume:force_delete", ownerOf(v)); err != nil {
			return nil, err
		}
	}
	return nil, c.beginDelete(v, force, cascade)
}

// beginDelete starts the deletion, or ends it at once where no node has the
// volume; with its snapshots if it is to cascade, and else only without any.
// Deleting what is being deleted is no error: clients repeat.
func (c *Call) beginDelete(v db.Volume, force, cascade bool) error {
	move, refusal := db.DeleteBegin, undeletable
	if force {
		move, refusal = db.ForceDeleteBegin, undeletableByForce
	}
	err := c.tx(func(tx *db.Tx) error {
		if v.Status == "deleting" {
			return nil
		}
		var has db.Dependents
		tx.AskDependents(c.Context(), v.ID, &has)
		moved, err := tx.MoveVolume(c.Context(), v.ID, move, "", nil)
		if fault.Is(err, fault.Conflict) {
			return fault.Wrap(err, fault.Invalid, "%s", refusal)
		}
		if err == nil && force {
			err = tx.Abandon(c.Context(), moved)
		}
		if err != nil {
			return err
		}
		if has.Attachments || has.Snapshots && !cascade || moved.GroupID != nil || migrating(moved) {
			return fault.New(fault.Invalid, "%s", refusal)
		}
		tx.NotFrozen(moved.PoolID)
		if has.Snapshots {
			if err := c.deleteSnapshots(tx, v.ID); err != nil {
				return err
			}
		}
		if moved.PoolID == nil {
			return tx.FinishDelete(c.Context(), moved)
		}
		return tx.Enqueue(c.Context(), db.VolumeDeleteArgs{VolumeID: v.ID, Request: c.RequestID})
	})
	if err == nil {
		c.forgetKey(v.EncryptionKeyID)
	}
	return err
}

// bootableFilter is strict from 3.2 on; before, what is not false-like is true.
func bootableFilter(c *Call, value string) ([]db.Condition, error) {
	if !c.Since(2) {
		if b, known := booleans[value]; !known || b {
			value = "true"
		}
	}
	return strictBool("bootable", db.VolumeFilter)(c, value)
}
