package db_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"clinker/db"
	"clinker/db/dbtest"
)

// meanwhile does something before each statement that looks for a volume's status.
type meanwhile struct{ do func() }

func (m *meanwhile) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	for _, q := range b.Batch.QueuedQueries {
		if m.do != nil && strings.HasPrefix(q.SQL, "SELECT v.status") {
			m.do()
		}
	}
	return ctx
}

func (m *meanwhile) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (m *meanwhile) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}
func (m *meanwhile) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (m *meanwhile) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestMoveVolumeThatBecomesReady: a volume is available just after it was seen that it
// is not. A request that wants it so is not refused because of that.
func TestMoveVolumeThatBecomesReady(t *testing.T) {
	t.Parallel()
	url, hook := dbtest.URL(t), &meanwhile{}
	d, err := db.Open(t.Context(), url, 2, db.Traced(hook))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	v, err := newVolume(t.Context(), d, "p", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	hook.do = func() {
		hook.do = nil
		if _, err := d.Pool().Exec(t.Context(), "UPDATE volumes SET status = 'available' WHERE id = $1", v.ID); err != nil {
			t.Error(err)
		}
	}
	err = d.Tx(t.Context(), func(tx *db.Tx) error { return tx.SetReadonly(t.Context(), v.ID, true) })
	if err != nil {
		t.Fatal(err)
	}
	if hook.do != nil {
		t.Fatal("nobody looked for the status")
	}
}
