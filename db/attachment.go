package db

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// Attachment is a row of attachments: one volume's use by one server or host.
type Attachment struct {
	ID             string
	VolumeID       string
	ProjectID      string
	UserID         string
	InstanceUUID   *string `gorm:"column:instance_uuid"`
	AttachStatus   string
	AttachMode     *string // rw, ro
	AttachedHost   *string
	Mountpoint     *string
	Connector      json.RawMessage `gorm:"type:jsonb;default:null"`
	ConnectionInfo json.RawMessage `gorm:"type:jsonb;default:null"` // holds the password; never logged
	Initialized    bool            // by os-initialize_connection, and waiting for its os-attach
	Generation     int64           // raised by each change; fences grants on the node
	AttachedAt     *time.Time
	DetachedAt     *time.Time
	CreatedAt      time.Time
	UpdatedAt      *time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt      *time.Time
}

// The statuses of an attachment, Cinder's.
const (
	AttachReserved       = "reserved"
	AttachAttaching      = "attaching"
	AttachAttached       = "attached"
	AttachDetaching      = "detaching"
	AttachDetached       = "detached"
	AttachErrorAttaching = "error_attaching"
	AttachErrorDetaching = "error_detaching"
)

var attachments = table{
	from: "attachments a",
	live: "a.deleted_at IS NULL", listed: "a.user_id >= ''",
	columns: `a.id, a.volume_id, a.project_id, a.user_id, a.instance_uuid, a.attach_status, a.attach_mode,
		a.attached_host, a.mountpoint, a.connector, a.connection_info, a.initialized, a.generation,
		a.attached_at, a.detached_at, a.created_at, a.updated_at, a.deleted_at`,
	byName: map[string]column{
		"id": uuidColumn("a.id"), "volume_id": uuidColumn("a.volume_id"),
		"project_id":    textColumn("a.project_id"),
		"instance_uuid": uuidColumn("a.instance_uuid").nullable(),
		"attach_status": textColumn("a.attach_status"),
		"attach_mode":   textColumn("a.attach_mode").nullable(),
		"attached_host": textColumn("a.attached_host").nullable(),
		"mountpoint":    textColumn("a.mountpoint").nullable(),
		"attach_time":   timeColumn("a.attached_at").nullable(),
		"detach_time":   timeColumn("a.detached_at").nullable(),
		"created_at":    timeColumn("a.created_at"),
		"updated_at":    timeColumn("a.updated_at").nullable(),
	},
}

func scanAttachment(row pgx.CollectableRow) (Attachment, error) {
	var a Attachment
	return a, row.Scan(a.fields()...)
}

// fields are where the table's columns go, in their order.
func (a *Attachment) fields() []any {
	return []any{&a.ID, &a.VolumeID, &a.ProjectID, &a.UserID, &a.InstanceUUID, &a.AttachStatus, &a.AttachMode,
		&a.AttachedHost, &a.Mountpoint, &a.Connector, &a.ConnectionInfo, &a.Initialized, &a.Generation,
		&a.AttachedAt, &a.DetachedAt, &a.CreatedAt, &a.UpdatedAt, &a.DeletedAt}
}

// Attachments gives one page of live attachments.
func (d *DB) Attachments(ctx context.Context, q Query) ([]Attachment, error) {
	return page(ctx, d, attachments, q, each(scanAttachment))
}

// AttachmentFilter is a condition on a column, see VolumeFilter.
func AttachmentFilter(name, value string) (Condition, bool, error) {
	return attachments.equal(name, value)
}

// AttachmentLike is a condition that a column contains the value.
func AttachmentLike(name, value string) (Condition, bool) { return attachments.like(name, value) }

// AttachmentsOfProject limits a list to one project.
func AttachmentsOfProject(project string) Condition { return ofProject("a.project_id", project) }

// EveryAttachment is the condition of lists that are not limited to a project, see
// EveryProject.
var EveryAttachment = Condition{sql: "a.generation >= 0"}

// AttachmentAndVolume gives a live attachment, in one project unless scope is empty,
// together with its volume.
func (d *DB) AttachmentAndVolume(ctx context.Context, id, scope string) (a Attachment, v Volume, err error) {
	if !ValidID(id) {
		return a, v, AttachmentNotFound(id)
	}
	sql := "SELECT " + attachments.columns + ", " + volumes.columns + " FROM " + volumes.from +
		" JOIN attachments a ON a.volume_id = v.id WHERE a.id = $1 AND a.deleted_at IS NULL"
	args := []any{id}
	if scope != "" {
		sql, args = sql+" AND a.project_id = $2", append(args, scope)
	}
	err = d.pool.QueryRow(ctx, sql, args...).Scan(append(a.fields(), v.fields()...)...)
	if errors.Is(err, pgx.ErrNoRows) {
		err = AttachmentNotFound(id)
	}
	return a, v, err
}

// AttachmentNotFound is what Cinder says of an attachment that a caller cannot see.
func AttachmentNotFound(id string) error {
	return fault.New(fault.NotFound, "Volume attachment could not be found with filter: attachment_id = %s.", id)
}

// AttachmentsOf gives all live attachments of some volumes, the oldest first,
// in one statement.
func (d *DB) AttachmentsOf(ctx context.Context, volumeIDs ...string) (map[string][]Attachment, error) {
	if len(volumeIDs) == 0 {
		return nil, nil
	}
	// One volume is the usual case, and an array of unknown length is planned anew
	// each time.
	condition, argument := "a.volume_id = ANY($1::uuid[])", any(volumeIDs)
	if len(volumeIDs) == 1 {
		condition, argument = "a.volume_id = $1", volumeIDs[0]
	}
	rows, err := d.pool.Query(ctx, "SELECT "+attachments.columns+" FROM attachments a WHERE "+condition+
		" AND a.deleted_at IS NULL ORDER BY a.created_at, a.id", argument)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, scanAttachment)
	if err != nil {
		return nil, err
	}
	byVolume := make(map[string][]Attachment, len(volumeIDs))
	for _, a := range all {
		byVolume[a.VolumeID] = append(byVolume[a.VolumeID], a)
	}
	return byVolume, nil
}

// AttachmentsIn gives the live attachments of a volume as this transaction sees
// them. Call it behind a MoveVolume of the volume, which keeps others out.
func (t *Tx) AttachmentsIn(ctx context.Context, volumeID string) ([]Attachment, error) {
	return all(ctx, t, scanAttachment, "SELECT "+attachments.columns+` FROM attachments a
		WHERE a.volume_id = $1 AND a.deleted_at IS NULL ORDER BY a.created_at, a.id`, volumeID)
}

var insertAttachmentSQL = attachments.insert()

// InsertAttachment writes a new attachment.
func (t *Tx) InsertAttachment(ctx context.Context, a *Attachment) error {
	a.CreatedAt = t.Now()
	t.later(insertAttachmentSQL, values(a.fields())...)
	return nil
}

// MoveAttachment changes an attachment's status by compare-and-set and raises
// its generation; from empty means from any. Conflict when it is in another
// status, NotFound when it is gone.
func (t *Tx) MoveAttachment(ctx context.Context, id string, from []string, to string, set map[string]any) (Attachment, error) {
	var b builder
	moved, err := all(ctx, t, scanAttachment, moveAttachment(&b, id, from, to, set), b.args...)
	if err == nil && len(moved) == 0 {
		err = t.explainAttachment(ctx, id, to)
	}
	if err != nil {
		return Attachment{}, err
	}
	return moved[0], nil
}

func moveAttachment(b *builder, id string, from []string, to string, set map[string]any) string {
	assignments := []string{"attach_status = " + b.arg(to), "generation = generation + 1", "updated_at = now()"}
	return "UPDATE attachments a SET " + b.set(assignments, set) + " WHERE a.id = " + b.arg(id) +
		" AND a.deleted_at IS NULL" + b.among("a.attach_status", from) + " RETURNING " + attachments.columns
}

func (t *Tx) explainAttachment(ctx context.Context, id, to string) error {
	status, err := first(ctx, t, pgx.RowTo[string], AttachmentNotFound(id),
		"SELECT attach_status FROM attachments WHERE id = $1 AND deleted_at IS NULL", id)
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "Attachment %s is %s and cannot become %s.", id, status, to)
}
