package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"clinker/db"
	"clinker/db/dbtest"
)

// TestPurge: what was deleted long ago is gone with its history; what was lately, what
// lives, and what that needs, stays.
func TestPurge(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t)
	var ids []string
	for range 4 {
		v, err := newVolume(t.Context(), d, "p", 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.ID)
	}
	for _, sql := range []string{
		"UPDATE volumes SET status = 'deleted', deleted_at = now() - interval '40 days' WHERE id IN ('" + ids[0] + "', '" + ids[1] + "')",
		"UPDATE volumes SET status = 'deleted', deleted_at = now() - interval '20 days' WHERE id = '" + ids[2] + "'",
		"INSERT INTO attachments (id, volume_id, project_id, user_id, attach_status) VALUES (gen_random_uuid(), '" + ids[1] + "', 'p', 'u', 'reserved')",
		"INSERT INTO attachments (id, volume_id, project_id, user_id, attach_status, deleted_at) VALUES (gen_random_uuid(), '" + ids[0] + "', 'p', 'u', 'detached', now() - interval '41 days')",
	} {
		if _, err := d.Pool().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	purge := func() (told []string) {
		err := d.Purge(t.Context(), time.Now().AddDate(0, 0, -30), func(table string, rows int) {
			if rows > 0 {
				told = append(told, fmt.Sprint(table, " ", rows))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return told
	}
	if told := purge(); !slices.Equal(told, []string{"attachments 1", "volumes 1"}) {
		t.Errorf("purged %v", told)
	}
	if told := purge(); len(told) > 0 {
		t.Errorf("a second time: %v", told)
	}
	slices.Sort(ids[1:])
	for _, column := range []string{"id FROM volumes", "volume_id FROM volume_history"} {
		left := dbtest.Rows(t, d, "SELECT DISTINCT "+strings.Replace(column, " ", "::text ", 1))
		if slices.Sort(left); !slices.Equal(left, ids[1:]) {
			t.Errorf("%s: left %v, want %v", column, left, ids[1:])
		}
	}
}

// TestPurgeKnowsEveryReference: a table that refers to one that is purged is named
// there, or its row goes by itself.
func TestPurgeKnowsEveryReference(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t)
	tables, references := db.Purged()
	unknown := dbtest.Rows(t, d, `SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c
		JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		JOIN pg_class p ON p.oid = c.confrelid
		WHERE c.contype = 'f' AND c.confdeltype = 'a' AND p.relname = ANY ('{`+strings.Join(tables, ",")+`}')
			AND NOT c.conrelid::regclass || '.' || a.attname = ANY ('{`+strings.Join(references, ",")+`}')`)
	if len(unknown) > 0 {
		t.Errorf("purging would fail for want of %v", unknown)
	}
}
