package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// Transfer is a row of transfers: a volume that its project offers to another.
type Transfer struct {
	ID                   string
	VolumeID             string
	Name                 *string
	Salt                 []byte // of the digest; never shown, never logged
	CryptHash            []byte // of the key, which is not kept; likewise
	NoSnapshots          bool   // the volume goes without its snapshots
	SourceProjectID      string
	DestinationProjectID *string
	Accepted             bool
	CreatedAt            time.Time
	UpdatedAt            *time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt            *time.Time
}

// transfers leaves out offers of volumes that are gone: an administrator may
// delete a volume that is on offer by force.
var transfers = table{
	from: "transfers t",
	live: "t.deleted_at IS NULL AND EXISTS (SELECT 1 FROM volumes v WHERE v.id = t.volume_id AND v.deleted_at IS NULL)",
	columns: `t.id, t.volume_id, t.name, t.salt, t.crypt_hash, t.no_snapshots, t.source_project_id,
		t.destination_project_id, t.accepted, t.created_at, t.updated_at, t.deleted_at`,
	byName: map[string]column{
		"id": uuidColumn("t.id"), "volume_id": uuidColumn("t.volume_id"),
		"display_name":           textColumn("t.name").nullable(),
		"no_snapshots":           boolColumn("t.no_snapshots"),
		"project_id":             textColumn("t.source_project_id"),
		"source_project_id":      textColumn("t.source_project_id"),
		"destination_project_id": textColumn("t.destination_project_id").nullable(),
		"accepted":               boolColumn("t.accepted"),
		"created_at":             timeColumn("t.created_at"),
		"updated_at":             timeColumn("t.updated_at").nullable(),
	},
}

func scanTransfer(row pgx.CollectableRow) (Transfer, error) {
	var t Transfer
	err := row.Scan(&t.ID, &t.VolumeID, &t.Name, &t.Salt, &t.CryptHash, &t.NoSnapshots, &t.SourceProjectID,
		&t.DestinationProjectID, &t.Accepted, &t.CreatedAt, &t.UpdatedAt, &t.DeletedAt)
	return t, err
}

// Transfers gives one page of open transfers.
func (d *DB) Transfers(ctx context.Context, q Query) ([]Transfer, error) {
	return page(ctx, d, transfers, q, each(scanTransfer))
}

// TransferFilter is a condition on a column, see VolumeFilter.
func TransferFilter(name, value string) (Condition, bool, error) { return transfers.equal(name, value) }

// TransfersOf limits a list to what one project offers.
func TransfersOf(project string) Condition {
	return ofProject("t.source_project_id", project)
}

// Transfer gives an open transfer, of one project's volumes unless scope is
// empty. NotFound when there is none.
func (d *DB) Transfer(ctx context.Context, id, scope string) (Transfer, error) {
	found, err := one(ctx, d, transfers, id, "", scanTransfer, TransferNotFound)
	if err == nil && scope != "" && found.SourceProjectID != scope {
		return Transfer{}, TransferNotFound(id)
	}
	return found, err
}

// TransferNotFound is what Cinder says of a transfer that a caller cannot see.
func TransferNotFound(id string) error {
	return fault.New(fault.NotFound, "Transfer %s could not be found.", id)
}
