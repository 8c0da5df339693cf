package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// Group is a row of groups: volumes that belong together, on one backend. Its
// status changes only through Tx.MoveGroup.
type Group struct {
	ID                string
	ProjectID         string
	UserID            string
	Name              *string
	Description       *string
	Status            string
	Generation        int64 // raised by each transition
	GroupTypeID       string
	AvailabilityZone  string
	PoolID            *string // nil until it is placed
	GroupSnapshotID   *string // what it was made from
	SourceGroupID     *string
	ReplicationStatus *string
	RequestID         string
	CreatedAt         time.Time
	UpdatedAt         *time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt         *time.Time

	VolumeTypes []string `gorm:"-"` // ids; read by the queries that join them
	Consistency bool     `gorm:"-"` // it is of ConsistencyType; likewise
	Host        *string  `gorm:"-"` // host@backend#pool; likewise
}

// The statuses of a group and of a group snapshot, Cinder's.
const (
	GroupCreating      = "creating"
	GroupAvailable     = "available"
	GroupUpdating      = "updating"
	GroupDeleting      = "deleting"
	GroupError         = "error"
	GroupErrorDeleting = "error_deleting"
)

var groups = table{
	from: "groups g JOIN group_types gt ON gt.id = g.group_type_id LEFT JOIN pools p ON p.id = g.pool_id",
	live: "g.deleted_at IS NULL",
	columns: `g.id, g.project_id, g.user_id, g.name, g.description, g.status, g.generation, g.group_type_id,
		g.availability_zone, g.pool_id, g.group_snapshot_id, g.source_group_id, g.replication_status, g.request_id,
		g.created_at, g.updated_at, g.deleted_at,
		ARRAY(SELECT m.volume_type_id::text FROM group_volume_types m WHERE m.group_id = g.id ORDER BY 1),
		gt.name = '` + ConsistencyType + `', p.name`,
	byName: map[string]column{
		"id": uuidColumn("g.id"), "project_id": textColumn("g.project_id"), "user_id": textColumn("g.user_id"),
		"name": textColumn("g.name").nullable(), "description": textColumn("g.description").nullable(),
		"status": textColumn("g.status"), "group_type_id": uuidColumn("g.group_type_id"),
		"availability_zone":  textColumn("g.availability_zone"),
		"host":               textColumn("p.name").nullable(),
		"group_snapshot_id":  uuidColumn("g.group_snapshot_id").nullable(),
		"source_group_id":    uuidColumn("g.source_group_id").nullable(),
		"replication_status": textColumn("g.replication_status").nullable(),
		"created_at":         timeColumn("g.created_at"), "updated_at": timeColumn("g.updated_at").nullable(),
	},
}

func scanGroup(row pgx.CollectableRow) (Group, error) {
	var g Group
	err := row.Scan(&g.ID, &g.ProjectID, &g.UserID, &g.Name, &g.Description, &g.Status, &g.Generation, &g.GroupTypeID,
		&g.AvailabilityZone, &g.PoolID, &g.GroupSnapshotID, &g.SourceGroupID, &g.ReplicationStatus, &g.RequestID,
		&g.CreatedAt, &g.UpdatedAt, &g.DeletedAt, &g.VolumeTypes, &g.Consistency, &g.Host)
	return g, err
}

// Groups gives one page of live groups.
func (d *DB) Groups(ctx context.Context, q Query) ([]Group, error) {
	return page(ctx, d, groups, q, each(scanGroup))
}

// GroupFilter is a condition on a column, see VolumeFilter.
func GroupFilter(name, value string) (Condition, bool, error) { return groups.equal(name, value) }

// GroupLike is a condition that a column contains the value.
func GroupLike(name, value string) (Condition, bool) { return groups.like(name, value) }

// GroupsOf limits a list to one project.
func GroupsOf(project string) Condition {
	return ofProject("g.project_id", project)
}

// ConsistencyGroups limits a list to those groups that the older API calls
// consistency groups, or to the others.
func ConsistencyGroups(consistency bool) Condition {
	return Condition{sql: "(gt.name = '" + ConsistencyType + "') = ?", args: []any{consistency}}
}

// Group gives a live group. scope limits it to one project; empty for all.
// NotFound when there is none, also when id is no UUID.
func (d *DB) Group(ctx context.Context, id, scope string) (Group, error) {
	return one(ctx, d, groups, id, scope, scanGroup, GroupNotFound)
}

// GroupNotFound is what Cinder says of a group that a caller cannot see.
func GroupNotFound(id string) error {
	return fault.New(fault.NotFound, "Group %s could not be found.", id)
}

// VolumesOfGroups gives the ids of the live volumes of some groups, the oldest
// first, in one statement.
func (d *DB) VolumesOfGroups(ctx context.Context, ids ...string) (map[string][]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := d.pool.Query(ctx, `SELECT group_id, id FROM volumes
		WHERE group_id = ANY($1::uuid[]) AND deleted_at IS NULL AND group_id IS NOT NULL ORDER BY created_at, id`, ids)
	if err != nil {
		return nil, err
	}
	byGroup := map[string][]string{}
	var group, volume string
	_, err = pgx.ForEachRow(rows, []any{&group, &volume}, func() error {
		byGroup[group] = append(byGroup[group], volume)
		return nil
	})
	return byGroup, err
}
