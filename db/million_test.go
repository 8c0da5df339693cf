package db_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
)

// TestWhatGrowsGoesByAnIndex: what schedulers ask every few seconds, and what lists the
// rows of a host or of everybody, reads no table from its beginning to its end.
func TestWhatGrowsGoesByAnIndex(t *testing.T) {
	t.Parallel()
	url, seen := dbtest.URL(t), &heard{}
	d, err := db.Open(t.Context(), url, 4, db.Traced(seen))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	page := func(every ...db.Condition) db.Query {
		return db.Query{Where: every, Sort: []db.Sort{{Key: "created_at", Desc: true}}, Limit: 50}
	}
	const quiet, most, id = time.Minute, 500, "00000000-0000-4000-8000-000000000000"
	for index, ask := range map[string]func(ctx context.Context) error{
		"attachments_moving":      func(ctx context.Context) error { _, err := d.StuckAttachments(ctx, quiet, most); return err },
		"volumes_failed":          func(ctx context.Context) error { _, err := d.InterruptedDeletes(ctx, "r", most); return err },
		"volumes_error_extending": func(ctx context.Context) error { _, err := d.InterruptedExtends(ctx, "r", most); return err },
		"backups_moving":          func(ctx context.Context) error { _, err := d.HeldForBackup(ctx, quiet, most); return err },
		"volumes_placed":          func(ctx context.Context) error { _, err := d.HostUse(ctx, id); return err },
		"attachments_live_created": func(ctx context.Context) error {
			_, err := d.Attachments(ctx, page(db.EveryAttachment))
			return err
		},
		"transfers_live_created": func(ctx context.Context) error { _, err := d.Transfers(ctx, page()); return err },
	} {
		seen.all = nil
		if err := ask(t.Context()); err != nil {
			t.Fatal(index, err)
		}
		if used := withoutReadingAll(t, d, seen.all[len(seen.all)-1]); !slices.Contains(used, index) {
			t.Errorf("goes by %v and not by %s:\n%s", used, index, seen.all[len(seen.all)-1])
		}
	}
}

// withoutReadingAll gives the indexes of a statement's plan where reading tables from
// one end to the other, and sorting, is worth avoiding: as in large ones.
func withoutReadingAll(t *testing.T, d *db.DB, sql string) []string {
	t.Helper()
	conn, err := d.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, off := range []string{"enable_seqscan", "enable_sort", "enable_hashjoin", "enable_mergejoin"} {
		if _, err := conn.Exec(t.Context(), "SET "+off+" = off"); err != nil {
			t.Fatal(err)
		}
	}
	return indexesOf(t, conn.Conn(), sql)
}

// TestForeignKeysOfWhatIsPurgedGoByAnIndex: PostgreSQL looks for what refers to each row
// that is deleted, in a statement that names the column and nothing else.
func TestForeignKeysOfWhatIsPurgedGoByAnIndex(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t)
	slow := dbtest.Rows(t, d, `SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c
		JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		WHERE c.contype = 'f' AND c.confrelid IN ('volumes'::regclass, 'snapshots'::regclass, 'groups'::regclass, 'backups'::regclass)
			AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND i.indpred IS NULL)`)
	if len(slow) > 0 {
		t.Errorf("reads all of %v for each row", slow)
	}
}

// TestJobsAreReadOnce: who has no job is found without looking through the jobs for each
// row, however many of both there are.
func TestJobsAreReadOnce(t *testing.T) {
	t.Parallel()
	url, seen := dbtest.URL(t), &heard{}
	d, err := db.Open(t.Context(), url, 4, db.Traced(seen))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if _, err := d.LostJobs(t.Context(), time.Minute, 500); err != nil {
		t.Fatal(err)
	}
	sql := strings.NewReplacer("$1", "'1 minute'", "$2", "500").Replace(seen.all[len(seen.all)-1])
	plan := strings.Join(dbtest.Rows(t, d, "EXPLAIN "+sql), "\n")
	if !strings.Contains(plan, "hashed SubPlan") {
		t.Errorf("looks through the jobs for each row:\n%s", plan)
	}
}

// TestPutOffChore: who has begun one keeps it, and rests from it, but what is to be
// hurried is.
func TestPutOffChore(t *testing.T) {
	t.Parallel()
	d, name := dbtest.Open(t), uuid.NewString()
	put := func(pause time.Duration) {
		t.Helper()
		if err := d.PutOffChore(t.Context(), name, time.Minute, pause); err != nil {
			t.Fatal(err)
		}
	}
	take := func(want bool) {
		t.Helper()
		if taken, err := d.TakeChore(t.Context(), name, time.Minute); err != nil || taken != want {
			t.Errorf("taken %v, %v", taken, err)
		}
	}
	age := func(by string) {
		t.Helper()
		if _, err := d.Pool().Exec(t.Context(), "UPDATE chores SET begun_at = begun_at - $1::interval", by); err != nil {
			t.Fatal(err)
		}
	}
	take(true)
	put(0) // it is due in a minute all the same
	take(false)
	age("1 hour")
	put(time.Minute)
	take(false)
	put(time.Hour)
	age("30 minutes")
	take(false)
	if err := d.HurryChores(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(time.Hour)
	take(true)
}
