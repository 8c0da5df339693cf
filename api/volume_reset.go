package api

import (
	"net/http"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.reset_status", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-reset_status", Status: http.StatusAccepted,
			Policy: []string{"volume_extension:volume_admin_actions:reset_status"}, Object: true, Handler: s.resetVolume}}
	})
}

// resetVolume lets an administrator say what is true. Detaching by it cuts the
// hosts off first, as any detaching does.
func (s *Server) resetVolume(c *Call) (View, error) {
	v, err := c.database().Volume(c.Context(), c.Param("volume_id"), c.Scope())
	if err != nil {
		return nil, err
	}
	if err := c.Allow(ownerOf(v)); err != nil {
		return nil, err
	}
	var in struct {
		Reset struct {
			Status          string `json:"status"`
			AttachStatus    string `json:"attach_status"`
			MigrationStatus string `json:"migration_status"`
		} `json:"os-reset_status"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	status, attach, migration := strings.ToLower(in.Reset.Status), strings.ToLower(in.Reset.AttachStatus), strings.ToLower(in.Reset.MigrationStatus)
	if err := c.checkReset(v, status, attach, migration); err != nil {
		return nil, err
	}
	if attach == db.AttachDetached {
		if err := c.detachAll(v); err != nil {
			return nil, err
		}
		if status == "in-use" {
			status = "available" // nobody uses it any more
		}
	}
	move, set := db.AttachmentsTouched, map[string]any{}
	if status != "" || attach == db.AttachDetached {
		set["held"] = false
	}
	if status != "" {
		move = db.ResetTo(status)
	}
	if migration != "" {
		set["migration_status"] = nullIf(migration, "none")
	}
	return nil, c.tx(func(tx *db.Tx) error {
		moved, err := tx.MoveVolume(c.Context(), v.ID, move, "reset by an administrator", set)
		if err != nil || status == "" {
			return err
		}
		return tx.Abandon(c.Context(), moved)
	})
}

func (c *Call) checkReset(v db.Volume, status, attach, migration string) error {
	if status+attach+migration == "" {
		return fault.New(fault.Invalid, "Must specify 'status', 'attach_status' or 'migration_status' for update.")
	}
	if status == "deleting" {
		return fault.New(fault.Invalid, "Invalid status: deleting cannot be set; delete the volume instead.")
	}
	if status == "in-use" {
		attachments, err := c.database().AttachmentsOf(c.Context(), v.ID)
		if err != nil || len(attachments[v.ID]) > 0 {
			return err
		}
		return fault.New(fault.Invalid, "Invalid volume: Cannot reset volume status to 'in-use': the volume %s has no attachment.", v.ID)
	}
	return nil
}

// detachAll detaches every host of a volume, the oldest attachment first, and
// ends what os-reserve holds.
func (c *Call) detachAll(v db.Volume) error {
	err := c.tx(func(tx *db.Tx) error { return tx.Release(c.Context(), v.ID, db.Unreserve) })
	if err != nil {
		return err
	}
	attachments, err := c.database().AttachmentsOf(c.Context(), v.ID)
	if err != nil {
		return err
	}
	for _, a := range attachments[v.ID] {
		if err := c.detach(v, a); err != nil {
			return err
		}
	}
	return nil
}

func nullIf(value, null string) *string {
	if value == null {
		return nil
	}
	return &value
}

// resetStatus reads the status that an administrator says is true: the body of
// os-reset_status, which groups call reset_status.
func (c *Call) resetStatus() (string, error) {
	type reset struct {
		Status string `json:"status"`
	}
	var in struct {
		Reset      reset `json:"os-reset_status"`
		GroupReset reset `json:"reset_status"`
	}
	err := c.Decode(&in)
	return strings.ToLower(in.Reset.Status + in.GroupReset.Status), err
}
