package db_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/keys/keystest"
)

// The database is a table for the local key store.
func TestLocalKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key-file")
	if _, err := keys.MakeFile(path); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.ReadRing(path)
	if err != nil {
		t.Fatal(err)
	}
	bearer := func(project string) keys.Bearer { return keys.Bearer{Token: "t", ProjectID: project, UserID: "u"} }
	keystest.Run(t, keystest.Rig{Store: keys.NewLocal(dbtest.Open(t), ring), One: bearer("one"), Other: bearer("other")})
}

// A key is kept once, by a row that comes in time.
func TestKeptKeys(t *testing.T) {
	t.Parallel()
	d, ctx := dbtest.Open(t), t.Context()
	id, volume := uuid.NewString(), uuid.NewString()
	keep := func() error { return d.Tx(ctx, func(tx *db.Tx) error { tx.KeepKey(id, volume); return nil }) }
	if err := keep(); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a key that nobody noted is kept: %v", err)
	}
	if err := d.NoteKey(ctx, id, "p", db.KeyOfVolume); err != nil {
		t.Fatal(err)
	}
	if err := keep(); err != nil {
		t.Fatal(err)
	}
	if err := keep(); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a key is kept twice: %v", err)
	}
	if abandoned, err := d.AbandonKey(ctx, id); err != nil || abandoned {
		t.Fatalf("a kept key is abandoned: %v", err)
	}
	if due, err := d.DueKeys(ctx, 10); err != nil || len(due) != 0 {
		t.Fatal(due, err)
	}
	if err := d.DropKey(ctx, id); err != nil {
		t.Fatal(err)
	}
	due, err := d.DueKeys(ctx, 10)
	if err != nil || len(due) != 1 || due[0].ID != id {
		t.Fatal(due, err)
	}
	if err := errors.Join(d.PutOffKey(ctx, id, time.Hour, "away"), d.DropKey(ctx, id)); err != nil {
		t.Fatal(err)
	}
	if due, err := d.DueKeys(ctx, 10); err != nil || len(due) != 0 {
		t.Fatal("a key is due before its next try", due, err)
	}
	if err := d.ForgetKey(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, known, err := d.KeptKey(ctx, id); err != nil || known {
		t.Fatal(known, err)
	}
}

// Keys of which nothing is left become due, and no others.
func TestUnwantedKeys(t *testing.T) {
	t.Parallel()
	d, ctx := dbtest.Open(t), t.Context()
	for _, use := range []string{db.KeyOfVolume, db.KeyForWork, db.KeyOfBackup, db.KeyOfImage} {
		id := uuid.NewString()
		if err := d.NoteKey(ctx, id, "p", use); err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(ctx, func(tx *db.Tx) error { tx.KeepKey(id, uuid.NewString()); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.NoteKey(ctx, uuid.NewString(), "p", db.KeyOfVolume); err != nil {
		t.Fatal(err)
	}
	if n, err := d.DropUnwantedKeys(ctx, time.Hour, time.Hour, 10); err != nil || n != 0 {
		t.Fatal(n, err)
	}
	if n, err := d.DropUnwantedKeys(ctx, time.Hour, 0, 10); err != nil || n != 3 { // but the image's, which is its owner's
		t.Fatal(n, err)
	}
	if n, err := d.DropUnwantedKeys(ctx, 0, 0, 10); err != nil || n != 1 { // the one that was never kept
		t.Fatal(n, err)
	}
}
