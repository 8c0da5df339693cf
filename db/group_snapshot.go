package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// GroupSnapshot is a row of group_snapshots: snapshots of all volumes of a group,
// taken together. Its status changes only through Tx.MoveGroupSnapshot.
type GroupSnapshot struct {
	ID          string
	ProjectID   string
	UserID      string
	Name        *string
	Description *string
	Status      string
	Generation  int64 // raised by each transition
	GroupID     string
	GroupTypeID string
	RequestID   string
	CreatedAt   time.Time
	UpdatedAt   *time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt   *time.Time

	Consistency bool `gorm:"-"` // its group is of ConsistencyType; read by the queries that join it
}

var groupSnapshots = table{
	from: "group_snapshots s JOIN group_types gt ON gt.id = s.group_type_id",
	live: "s.deleted_at IS NULL",
	columns: `s.id, s.project_id, s.user_id, s.name, s.description, s.status, s.generation, s.group_id, s.group_type_id,
		s.request_id, s.created_at, s.updated_at, s.deleted_at, gt.name = '` + ConsistencyType + `'`,
	byName: map[string]column{
		"id": uuidColumn("s.id"), "project_id": textColumn("s.project_id"), "user_id": textColumn("s.user_id"),
		"name": textColumn("s.name").nullable(), "description": textColumn("s.description").nullable(),
		"status": textColumn("s.status"), "group_id": uuidColumn("s.group_id"), "group_type_id": uuidColumn("s.group_type_id"),
		"created_at": timeColumn("s.created_at"), "updated_at": timeColumn("s.updated_at").nullable(),
	},
}

func scanGroupSnapshot(row pgx.CollectableRow) (GroupSnapshot, error) {
	var s GroupSnapshot
	err := row.Scan(&s.ID, &s.ProjectID, &s.UserID, &s.Name, &s.Description, &s.Status, &s.Generation, &s.GroupID, &s.GroupTypeID,
		&s.RequestID, &s.CreatedAt, &s.UpdatedAt, &s.DeletedAt, &s.Consistency)
	return s, err
}

// GroupSnapshots gives one page of live group snapshots.
func (d *DB) GroupSnapshots(ctx context.Context, q Query) ([]GroupSnapshot, error) {
	return page(ctx, d, groupSnapshots, q, each(scanGroupSnapshot))
}

// GroupSnapshotFilter is a condition on a column, see VolumeFilter.
func GroupSnapshotFilter(name, value string) (Condition, bool, error) {
	return groupSnapshots.equal(name, value)
}

// GroupSnapshotLike is a condition that a column contains the value.
func GroupSnapshotLike(name, value string) (Condition, bool) { return groupSnapshots.like(name, value) }

// GroupSnapshotsOf limits a list to one project.
func GroupSnapshotsOf(project string) Condition {
	return ofProject("s.project_id", project)
}

// GroupSnapshot gives a live group snapshot. scope limits it to one project;
// empty for all. NotFound when there is none, also when id is no UUID.
func (d *DB) GroupSnapshot(ctx context.Context, id, scope string) (GroupSnapshot, error) {
	return one(ctx, d, groupSnapshots, id, scope, scanGroupSnapshot, GroupSnapshotNotFound)
}

// GroupSnapshotNotFound is what Cinder says of a group snapshot that a caller
// cannot see.
func GroupSnapshotNotFound(id string) error {
	return fault.New(fault.NotFound, "GroupSnapshot %s could not be found.", id)
}

// SnapshotsOfGroupSnapshot gives its live members, by id.
func (d *DB) SnapshotsOfGroupSnapshot(ctx context.Context, id string) ([]Snapshot, error) {
	rows, err := d.pool.Query(ctx, "SELECT "+snapshots.columns+` FROM snapshots s
		WHERE s.group_snapshot_id = $1 AND s.deleted_at IS NULL AND s.group_snapshot_id IS NOT NULL ORDER BY s.id`, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanSnapshot)
}

var movedGroupSnapshots = withHistory(groupSnapshots, "GroupSnapshot", scanGroupSnapshot, GroupSnapshotNotFound)

// MoveGroupSnapshot changes a group snapshot's status by compare-and-set; see
// MoveGroup.
func (t *Tx) MoveGroupSnapshot(ctx context.Context, id string, m Move, reason string, set map[string]any) (GroupSnapshot, error) {
	return movedGroupSnapshots.move(ctx, t, id, 0, m, reason, set)
}

// MoveGroupSnapshotAt is MoveGroupSnapshot for a worker that acted upon s.
func (t *Tx) MoveGroupSnapshotAt(ctx context.Context, s GroupSnapshot, m Move, reason string, set map[string]any) (GroupSnapshot, error) {
	return movedGroupSnapshots.move(ctx, t, s.ID, s.Generation, m, reason, set)
}

// The machine of a group snapshot's status; its members move with it.
var (
	// GroupSnapshotDone: all members are there.
	GroupSnapshotDone = Move{"finish creating", []string{GroupCreating}, GroupAvailable}
	// GroupSnapshotFailed: one of them could not be taken, so that none is of use.
	GroupSnapshotFailed = Move{"fail creating", []string{GroupCreating}, GroupError}
	// GroupSnapshotWait: a node cannot take them now; a further try follows.
	GroupSnapshotWait = Move{"wait for its volumes", []string{GroupCreating}, Same}
	// GroupSnapshotDeleteBegin is the user's.
	GroupSnapshotDeleteBegin = Move{"delete", []string{GroupAvailable, GroupError}, GroupDeleting}
	// GroupSnapshotDeleteDone: its members are gone.
	GroupSnapshotDeleteDone = Move{"finish deleting", []string{GroupDeleting}, "deleted"}
	// GroupSnapshotDeleteFailed: one of them was not deleted.
	GroupSnapshotDeleteFailed = Move{"fail deleting", []string{GroupDeleting}, GroupErrorDeleting}
	// GroupSnapshotDeleteResume: the node that did not answer is back.
	GroupSnapshotDeleteResume = Move{"go on deleting", []string{GroupErrorDeleting}, GroupDeleting}
	// GroupSnapshotJobLost: in a moving status without a job, it gets one.
	GroupSnapshotJobLost = Move{"begin again, for its job was lost", []string{GroupCreating, GroupDeleting}, Same}

	// SnapshotGroupDelete is of a member.
	SnapshotGroupDelete = Move{"delete with its group snapshot", nil, SnapshotDeleting}
)

// GroupSnapshotCreateArgs asks for all snapshots of a row in status creating.
type GroupSnapshotCreateArgs struct {
	GroupSnapshotID string `json:"group_snapshot_id"`
	Request         string `json:"request"`
}

// Kind is River's name of the job.
func (GroupSnapshotCreateArgs) Kind() string { return "group_snapshot_create" }

// GroupSnapshotDeleteArgs asks that a row in status deleting go away, when its
// members have.
type GroupSnapshotDeleteArgs struct {
	GroupSnapshotID string `json:"group_snapshot_id"`
	Request         string `json:"request"`
}

// Kind is River's name of the job.
func (GroupSnapshotDeleteArgs) Kind() string { return "group_snapshot_delete" }
