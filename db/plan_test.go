package db_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"clinker/db"
	"clinker/db/dbtest"
)

// heard are the statements that a DB has sent.
type heard struct {
	mu  sync.Mutex
	all []string
}

func (h *heard) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, q.SQL)
	return ctx
}

func (h *heard) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (h *heard) TraceBatchStart(ctx context.Context, conn *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	for _, q := range b.Batch.QueuedQueries {
		h.TraceQueryStart(ctx, conn, pgx.TraceQueryStartData{SQL: q.SQL})
	}
	return ctx
}

func (h *heard) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (h *heard) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// A database that has just been made has no statistics, and the plans made then
// are kept for as long as a connection lives and no statistics come. They must
// not read a whole index for one row.
func TestStatementsByIDGoByTheKeyInANewDatabase(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	seen := &heard{}
	d, err := db.Open(t.Context(), url, 4, db.Traced(seen))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	lifeOfARow(t, d)
	conn, err := d.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	statements := slices.Compact(slices.Sorted(slices.Values(slices.Clone(seen.all))))
	explained := 0
	for _, sql := range statements {
		for _, index := range indexesOf(t, conn.Conn(), sql) {
			explained++
			ofLists := strings.HasPrefix(index, "volumes_") || strings.HasPrefix(index, "attachments_") && !byVolume(sql)
			if ofLists && !strings.HasSuffix(index, "_pkey") {
				t.Errorf("goes by %s:\n%s", index, sql)
			}
		}
	}
	if explained < 5 {
		t.Errorf("only %d indexes are used at all", explained)
	}
}

// byVolume tells whether a statement is about a volume's attachments, for which
// an index of live ones is the right one.
func byVolume(sql string) bool {
	return strings.Contains(sql, "volume_id = $1") || strings.Contains(sql, "a.volume_id = v.id")
}

// lifeOfARow reads and changes one volume in the ways that requests and jobs do.
func lifeOfARow(t *testing.T, d *db.DB) {
	t.Helper()
	ctx := t.Context()
	v, err := newVolume(ctx, d, "p", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	pool := dbtest.Rows(t, d, `WITH s AS (INSERT INTO services (id, host, daemon, availability_zone)
			VALUES (gen_random_uuid(), 'h@b', 'cinder-volume', 'nova') RETURNING id)
		INSERT INTO pools (id, service_id, name, availability_zone, total_bytes, free_bytes, other_bytes, thin,
			max_over_subscription_ratio, reserved_percentage, storage_protocol)
		SELECT gen_random_uuid(), id, 'h@b#p', 'nova', 1::bigint << 40, 1::bigint << 40, 0, false, 1, 0, 'iSCSI' FROM s RETURNING id::text`)[0]
	if claimed, err := d.Claim(ctx, v.ID, pool, 1<<30, false); err != nil || !claimed {
		t.Fatal(claimed, err)
	}
	if _, _, err := d.VolumeAndSpecs(ctx, v.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.FinishCreate(ctx, v); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Volume(ctx, v.ID, "p"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.AttachmentsOf(ctx, v.ID); err != nil {
		t.Fatal(err)
	}
	err = d.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.TouchAttachments(ctx, v.ID); err != nil {
			return err
		}
		if err := tx.SettleAttachments(ctx, v.ID); err != nil {
			return err
		}
		if err := oldAttach(ctx, tx, v.ID); err != nil {
			return err
		}
		_, err := tx.MoveVolume(ctx, v.ID, db.DeleteBegin, "", nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// oldAttach goes through what os-reserve and its like do to a volume.
func oldAttach(ctx context.Context, tx *db.Tx, id string) error {
	if err := tx.SetReadonly(ctx, id, true); err != nil {
		return err
	}
	if err := tx.Hold(ctx, id, db.Hold); err != nil {
		return err
	}
	held, err := tx.LockVolume(ctx, id)
	if err != nil || !held.Held || held.Status != "attaching" {
		return fmt.Errorf("held %v, %s: %w", held.Held, held.Status, err)
	}
	if err := tx.SettleAttachments(ctx, id); err != nil {
		return err
	}
	if err := tx.Release(ctx, id, db.Unreserve); err != nil {
		return err
	}
	return tx.FinishAttach(ctx, id, "ro")
}

var scanned = regexp.MustCompile(`Index (?:Only )?Scan using (\w+)|Bitmap Index Scan on (\w+)`)

// indexesOf gives the indexes that a statement's general plan goes by; none for
// what cannot be prepared.
func indexesOf(t *testing.T, conn *pgx.Conn, sql string) (indexes []string) {
	t.Helper()
	ctx := t.Context()
	if _, err := conn.Exec(ctx, "SET plan_cache_mode = force_generic_plan"); err != nil {
		t.Fatal(err)
	}
	prepared, err := conn.Prepare(ctx, "explained", sql)
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Deallocate(ctx, "explained") }()
	call := "explained"
	if n := len(prepared.ParamOIDs); n > 0 {
		call = fmt.Sprintf("explained(%s)", strings.TrimSuffix(strings.Repeat("NULL, ", n), ", "))
	}
	rows, err := conn.Query(ctx, "EXPLAIN EXECUTE "+call, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return nil
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil // BEGIN and its like have no plan
	}
	for _, m := range scanned.FindAllStringSubmatch(strings.Join(lines, "\n"), -1) {
		indexes = append(indexes, m[1]+m[2])
	}
	return indexes
}
