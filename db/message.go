package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// Message is a row of messages: what a tenant is told of something that failed
// after its request had been accepted.
type Message struct {
	ID           string
	ProjectID    string
	EventID      string // VOLUME_<resource>_<action>_<detail>
	ActionID     string
	DetailID     string
	Detail       string // a sentence of our own behind Cinder's; no host or pool names
	MessageLevel string
	ResourceType *string
	ResourceUUID *string `gorm:"column:resource_uuid"`
	RequestID    *string
	ExpiresAt    time.Time // Cinder's guaranteed_until
	CreatedAt    time.Time
}

var messages = table{
	from: "messages m",
	live: "m.expires_at > now()",
	columns: `m.id, m.project_id, m.event_id, m.action_id, m.detail_id, m.detail, m.message_level,
		m.resource_type, m.resource_uuid, m.request_id, m.expires_at, m.created_at`,
	byName: map[string]column{
		"id": uuidColumn("m.id"), "project_id": textColumn("m.project_id"),
		"event_id": textColumn("m.event_id"), "action_id": textColumn("m.action_id"),
		"detail_id": textColumn("m.detail_id"), "message_level": textColumn("m.message_level"),
		"resource_type": textColumn("m.resource_type").nullable(),
		"resource_uuid": uuidColumn("m.resource_uuid").nullable(),
		"request_id":    textColumn("m.request_id").nullable(),
		"expires_at":    timeColumn("m.expires_at"), "created_at": timeColumn("m.created_at"),
	},
}

func scanMessage(row pgx.CollectableRow) (Message, error) {
	var m Message
	err := row.Scan(&m.ID, &m.ProjectID, &m.EventID, &m.ActionID, &m.DetailID, &m.Detail, &m.MessageLevel,
		&m.ResourceType, &m.ResourceUUID, &m.RequestID, &m.ExpiresAt, &m.CreatedAt)
	return m, err
}

// Messages gives one page of messages that have not expired.
func (d *DB) Messages(ctx context.Context, q Query) ([]Message, error) {
	return page(ctx, d, messages, q, each(scanMessage))
}

// MessageFilter is a condition on a column, see VolumeFilter.
func MessageFilter(name, value string) (Condition, bool, error) { return messages.equal(name, value) }

// MessageLike is a condition that a column contains the value.
func MessageLike(name, value string) (Condition, bool) { return messages.like(name, value) }

// MessagesOf limits a list to one project.
func MessagesOf(project string) Condition { return ofProject("m.project_id", project) }

// Message gives a message, in one project unless scope is empty.
func (d *DB) Message(ctx context.Context, id, scope string) (Message, error) {
	return one(ctx, d, messages, id, scope, scanMessage, messageNotFound)
}

func messageNotFound(id string) error {
	return fault.New(fault.NotFound, "Message %s could not be found.", id)
}

// InsertMessage writes a message in the transaction of what it tells about.
func (t *Tx) InsertMessage(ctx context.Context, m *Message) error {
	return t.gorm.Create(m).Error
}

// DeleteMessage takes a message away; NotFound when there is none.
func (t *Tx) DeleteMessage(ctx context.Context, id string) error {
	result := t.gorm.Exec("DELETE FROM messages WHERE id = ?", id)
	if result.Error == nil && result.RowsAffected == 0 {
		return messageNotFound(id)
	}
	return result.Error
}

// DeleteExpiredMessages takes away what is past its time, and tells how many.
func (d *DB) DeleteExpiredMessages(ctx context.Context) (int64, error) {
	tag, err := d.pool.Exec(ctx, "DELETE FROM messages WHERE expires_at <= now()")
	return tag.RowsAffected(), err
}
