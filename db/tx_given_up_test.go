package db_test

import (
	"context"
	"errors"
	"testing"

	"clinker/db"
	"clinker/db/dbtest"
)

// TestConnectionGivenUp: the caller has gone before a statement of GORM is sent, and
// the connection goes to somebody else at once. What that one does there is not
// rolled back.
func TestConnectionGivenUp(t *testing.T) {
	t.Parallel()
	d, err := db.Open(t.Context(), dbtest.URL(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	gone, leave := context.WithCancel(t.Context())
	leave()
	err = d.Once(t.Context(), func(tx *db.Tx) error {
		var one int
		failed := tx.GORM().WithContext(gone).Raw("SELECT 1").Scan(&one).Error
		other, err := d.Pool().Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if other.Conn().PgConn().TxStatus() != 'T' {
				t.Error("another's transaction was rolled back")
			}
			_ = other.Rollback(context.Background())
		})
		return failed
	})
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
