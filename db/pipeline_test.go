package db_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
)

func openPipeline(t *testing.T) *db.DB {
	t.Helper()
	d := dbtest.Open(t)
	if _, err := d.Pool().Exec(t.Context(), "CREATE TABLE notes (n integer PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	return d
}

func notes(t *testing.T, d *db.DB) []int {
	t.Helper()
	rows, err := d.Pool().Query(t.Context(), "SELECT n FROM notes ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const note = "INSERT INTO notes VALUES ($1)"

// Whatever ends a transaction, all of it is written, or nothing.
func TestTransactionsAreWholeHoweverTheirStatementsAreSent(t *testing.T) {
	t.Parallel()
	d := openPipeline(t)
	refused := errors.New("refused")
	gone := fault.New(fault.NotFound, "gone")
	cases := []struct {
		name  string
		do    func(tx *db.Tx) error
		err   error // nil with fails unset: committed
		fails bool
		notes []int
	}{
		{"nothing", func(*db.Tx) error { return nil }, nil, false, nil},
		{"sent together", func(tx *db.Tx) error { tx.Later(note, 1); tx.Later(note, 2); return nil }, nil, false, []int{1, 2}},
		{"sent together, the last fails", func(tx *db.Tx) error { tx.Later(note, 3); tx.Later(note, 1); return nil }, nil, true, nil},
		{"refused before it was sent", func(tx *db.Tx) error { tx.Later(note, 3); return refused }, refused, true, nil},
		{"refused when some was sent", func(tx *db.Tx) error {
			if _, err := tx.Exec(t.Context(), note, 3); err != nil {
				return err
			}
			tx.Later(note, 4)
			return refused
		}, refused, true, nil},
		{"a check that fails", func(tx *db.Tx) error {
			tx.Later(note, 3)
			tx.Expect(gone, "DELETE FROM notes WHERE n = $1", 99)
			return nil
		}, gone, true, nil},
		{"a check that passes", func(tx *db.Tx) error {
			tx.Expect(gone, "DELETE FROM notes WHERE n = $1", 1)
			tx.Later(note, 5)
			return nil
		}, nil, false, []int{5}},
		{"GORM sees what was to be sent", func(tx *db.Tx) error {
			tx.Later(note, 6)
			var n int64
			if err := tx.GORM().Raw("SELECT count(*) FROM notes WHERE n = ?", 6).Scan(&n).Error; err != nil || n != 1 {
				t.Errorf("%d rows, %v", n, err)
			}
			return tx.GORM().Exec("INSERT INTO notes VALUES (?)", 7).Error
		}, nil, false, []int{6, 7}},
		{"GORM's are rolled back too", func(tx *db.Tx) error {
			if err := tx.GORM().Exec("INSERT INTO notes VALUES (?)", 8).Error; err != nil {
				return err
			}
			return refused
		}, refused, true, nil},
		{"a failure that GORM's caller does not look at", func(tx *db.Tx) error {
			tx.Later(note, 7)
			tx.GORM().Exec("INSERT INTO notes VALUES (?)", 9)
			return nil
		}, nil, true, nil},
		{"a failure that nobody looked at", func(tx *db.Tx) error {
			_, _ = tx.Exec(t.Context(), note, 7)
			return nil
		}, nil, true, nil},
	}
	want := []int(nil)
	for _, c := range cases {
		err := d.Tx(t.Context(), c.do)
		if (err != nil) != c.fails || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.name == "a check that passes" {
			want = slices.DeleteFunc(want, func(n int) bool { return n == 1 })
		}
		want = append(want, c.notes...)
		if got := notes(t, d); !slices.Equal(got, want) {
			t.Fatalf("%s: %v are there, not %v", c.name, got, want)
		}
	}
	if stat := d.Pool().Stat(); stat.AcquiredConns() != 0 {
		t.Errorf("%d connections are held", stat.AcquiredConns())
	}
}

// A panic keeps neither the connection nor what was written.
func TestPanicsRollBack(t *testing.T) {
	t.Parallel()
	d := openPipeline(t)
	func() {
		defer func() { _ = recover() }()
		_ = d.Tx(t.Context(), func(tx *db.Tx) error {
			_, _ = tx.Exec(t.Context(), note, 1)
			panic("a mistake")
		})
	}()
	if got := notes(t, d); len(got) > 0 || d.Pool().Stat().AcquiredConns() != 0 {
		t.Error(got, d.Pool().Stat().AcquiredConns())
	}
}

// A commit that does not wait is a commit, and one that frees its locks early
// still has waited for the disk when it is answered.
func TestEndings(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	for name, options := range map[string][]db.Option{"durable": nil, "lazy": {db.LazyCommits}} {
		seen := &heard{}
		d, err := db.Open(t.Context(), url, 2, append(options, db.Traced(seen))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Close)
		said := func(end func(*db.Tx)) string {
			seen.all = nil
			err := d.Tx(t.Context(), func(tx *db.Tx) error {
				end(tx)
				tx.Later("SELECT 1")
				return nil
			})
			if err != nil {
				t.Fatal(name, err)
			}
			return strings.Join(seen.all, "; ")
		}
		flush := "SELECT pg_logical_emit_message(true, 'clinker', '')"
		want := map[string][3]string{
			"durable": {"SELECT 1", "begin; SELECT 1; SET LOCAL synchronous_commit = off; commit",
				"begin; SELECT 1; SET LOCAL synchronous_commit = off; commit; " + flush},
			"lazy": {"begin; SELECT 1; SET LOCAL synchronous_commit = on; commit", "SELECT 1",
				"begin; SELECT 1; SET LOCAL synchronous_commit = on; commit"},
		}[name]
		got := [3]string{said(func(*db.Tx) {}), said((*db.Tx).Lazily), said((*db.Tx).ReleaseEarly)}
		if got != want {
			t.Errorf("%s:\n%q\n%q", name, got, want)
		}
	}
}
