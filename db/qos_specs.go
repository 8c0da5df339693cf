package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/clause"

	"clinker/internal/fault"
)

// Who keeps to QoS specs.
const (
	ConsumerFrontEnd = "front-end" // the hypervisor, told with the connection info
	ConsumerBackEnd  = "back-end"  // the storage
	ConsumerBoth     = "both"
)

// QosSpecs is a row of qos_specs: limits for the volumes of some types.
type QosSpecs struct {
	ID        string
	Name      string
	Consumer  string
	Specs     StringMap
	CreatedAt time.Time
	UpdatedAt *time.Time `gorm:"autoUpdateTime:false"`
}

// TableName is GORM's.
func (QosSpecs) TableName() string { return "qos_specs" }

var qosSpecs = table{
	from:    "qos_specs q",
	live:    "true",
	columns: "q.id, q.name, q.consumer, q.specs, q.created_at, q.updated_at",
	byName: map[string]column{
		"id": uuidColumn("q.id"), "name": textColumn("q.name"), "consumer": textColumn("q.consumer"),
		"created_at": timeColumn("q.created_at"), "updated_at": timeColumn("q.updated_at").nullable(),
	},
}

func scanQosSpecs(row pgx.CollectableRow) (q QosSpecs, err error) {
	return q, row.Scan(&q.ID, &q.Name, &q.Consumer, &q.Specs, &q.CreatedAt, &q.UpdatedAt)
}

// ListQosSpecs gives one page.
func (d *DB) ListQosSpecs(ctx context.Context, q Query) ([]QosSpecs, error) {
	return page(ctx, d, qosSpecs, q, each(scanQosSpecs))
}

// QosSpecsFilter is a condition on a column, see VolumeFilter.
func QosSpecsFilter(name, value string) (Condition, bool, error) { return qosSpecs.equal(name, value) }

// QosSpecs gives them by id; NotFound, in Cinder's words, when there are none.
func (d *DB) QosSpecs(ctx context.Context, id string) (QosSpecs, error) {
	return one(ctx, d, qosSpecs, id, "", scanQosSpecs, qosNotFound)
}

func qosNotFound(id string) error { return fault.New(fault.NotFound, "No such QoS spec %s.", id) }

// InsertQosSpecs writes new ones; Conflict when the name is taken.
func (t *Tx) InsertQosSpecs(ctx context.Context, q *QosSpecs) error {
	err := t.gorm.Create(q).Error
	if duplicate(err) {
		return fault.Wrap(err, fault.Conflict, "QoS Specs %s already exists.", q.Name)
	}
	return err
}

// LockQosSpecs reads them and keeps everybody else from changing, associating
// or deleting them until the transaction ends. NotFound when there are none.
func (t *Tx) LockQosSpecs(ctx context.Context, id string) (QosSpecs, error) {
	var q QosSpecs
	if !ValidID(id) {
		return q, qosNotFound(id)
	}
	result := t.gorm.Raw("SELECT * FROM qos_specs WHERE id = ? FOR UPDATE", id).Scan(&q)
	if result.Error == nil && result.RowsAffected == 0 {
		return q, qosNotFound(id)
	}
	return q, result.Error
}

// UpdateQosSpecs writes columns of locked ones.
func (t *Tx) UpdateQosSpecs(ctx context.Context, id string, set map[string]any) error {
	set["updated_at"] = t.Now()
	var q QosSpecs
	return t.gorm.Model(&q).Clauses(clause.Returning{}).Where("id = ?", id).Updates(set).Error
}

// DeleteQosSpecs takes locked ones away, and from the types that have them.
func (t *Tx) DeleteQosSpecs(ctx context.Context, id string) error {
	return t.gorm.Exec("DELETE FROM qos_specs WHERE id = ?", id).Error
}
