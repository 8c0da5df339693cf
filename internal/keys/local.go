package keys

import (
	"context"
	"time"

	"github.com/google/uuid"

	"clinker/internal/fault"
)

// Sealed is a row of the local key store.
type Sealed struct {
	ID        string
	ProjectID string // "" for Clinker's own
	UserID    string
	Name      string
	Algorithm string
	Bits      int
	Sealed    []byte // empty until it is filled
	CreatedAt time.Time
}

// Table is where Local keeps its rows; *db.DB is one.
type Table interface {
	// InsertKey writes a new row, whose Sealed is empty.
	InsertKey(ctx context.Context, row Sealed) error
	// FillKey writes what is sealed, false when there is no such row, or not an
	// empty one.
	FillKey(ctx context.Context, id string, sealed []byte) (bool, error)
	// SealedKey reads a row; NotFound.
	SealedKey(ctx context.Context, id string) (Sealed, error)
	// DeleteKey takes a row away, if it is there.
	DeleteKey(ctx context.Context, id string) error
}

// Local keeps keys in a table, sealed by a key file.
type Local struct {
	table Table
	ring  *Ring
}

// NewLocal makes a Local.
func NewLocal(t Table, r *Ring) *Local { return &Local{t, r} }

var _ Store = (*Local)(nil)

func noKey(id string) error { return fault.New(fault.NotFound, "There is no key %s.", id) }

// Reserve implements Store.
func (l *Local) Reserve(ctx context.Context, b Bearer, s Spec) (string, error) {
	id := uuid.NewString()
	return id, l.table.InsertKey(ctx, Sealed{ID: id, ProjectID: b.ProjectID, UserID: b.UserID, Name: s.Name, Algorithm: s.Algorithm, Bits: s.Bits})
}

// Row reads a row that the bearer may see; NotFound.
func (l *Local) Row(ctx context.Context, b Bearer, id string) (Sealed, error) {
	row, err := l.table.SealedKey(ctx, id)
	if err == nil && !b.IsService() && row.ProjectID != b.ProjectID {
		err = noKey(id)
	}
	return row, err
}

// Fill implements Store.
func (l *Local) Fill(ctx context.Context, b Bearer, id string, k Key) error {
	row, err := l.Row(ctx, b, id)
	if err != nil {
		return err
	}
	if row.Bits != k.Bits() {
		return fault.New(fault.Invalid, "The place %s is for a key of %d bits.", id, row.Bits)
	}
	filled, err := l.table.FillKey(ctx, id, l.ring.seal(row, k.Material))
	if err == nil && !filled {
		err = fault.New(fault.Conflict, "The key %s is there already.", id)
	}
	return err
}

// Key implements Store.
func (l *Local) Key(ctx context.Context, b Bearer, id string) (Key, error) {
	row, err := l.Row(ctx, b, id)
	if err == nil && len(row.Sealed) == 0 {
		err = noKey(id)
	}
	if err != nil {
		return Key{}, err
	}
	material, err := l.ring.open(row)
	return Key{Algorithm: row.Algorithm, Material: material}, err
}

// Delete implements Store.
func (l *Local) Delete(ctx context.Context, b Bearer, id string) error {
	if _, err := l.Row(ctx, b, id); err != nil {
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		return err
	}
	return l.table.DeleteKey(ctx, id)
}

// Trusted implements Store.
func (l *Local) Trusted() bool { return true }
