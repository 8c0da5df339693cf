package db_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// newVolume writes a volume with its quota, as the API does.
func newVolume(ctx context.Context, d *db.DB, project string, sizeGiB int, limits db.Limits) (db.Volume, error) {
	kind, err := d.VolumeTypeByName(ctx, "__DEFAULT__", project)
	if err != nil {
		return db.Volume{}, err
	}
	v := db.Volume{
		ID: uuid.NewString(), ProjectID: project, UserID: "user", SizeGiB: sizeGiB, Status: "creating",
		Generation: 1, VolumeTypeID: kind.ID, AvailabilityZone: "nova", ConsumesQuota: true,
	}
	err = d.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.Use(ctx, project, db.VolumeUse(sizeGiB, kind.Name, 1), limits); err != nil {
			return err
		}
		if err := tx.InsertVolume(ctx, &v); err != nil {
			return err
		}
		return tx.Enqueue(ctx, db.VolumeCreateArgs{VolumeID: v.ID})
	})
	return v, err
}

func TestVolumeRoundTrip(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t)
	made, err := newVolume(t.Context(), d, "p", 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	read, err := d.Volume(t.Context(), made.ID, "p")
	if err != nil {
		t.Fatal(err)
	}
	if read.SizeGiB != 3 || read.VolumeType != "__DEFAULT__" || read.Status != "creating" {
		t.Fatalf("read back %+v", read)
	}
	if _, err := d.Volume(t.Context(), made.ID, "other"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("another project reads it: %v", err)
	}
	jobs := dbtest.Rows(t, d, "SELECT kind FROM river_job")
	if len(jobs) != 1 || jobs[0] != "volume_create" {
		t.Fatalf("jobs %v", jobs)
	}
}

func TestQuotaHoldsAgainstFiftyAtOnce(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t)
	limits := db.Limits{db.QuotaVolumes: 10, db.QuotaGigabytes: 1000}
	var wg sync.WaitGroup
	results := make(chan error, 50)
	for range 50 {
		wg.Go(func() {
			_, err := newVolume(t.Context(), d, "p", 1, limits)
			results <- err
		})
	}
	wg.Wait()
	close(results)
	made := 0
	for err := range results {
		switch {
		case err == nil:
			made++
		case !fault.Is(err, fault.OverQuota):
			t.Errorf("not a quota error: %v", err)
		}
	}
	if n, _ := d.CountVolumes(t.Context(), db.Query{}); made != 10 || n != 10 {
		t.Errorf("made %d, rows %d", made, n)
	}
	set, err := d.QuotaSet(t.Context(), "p", []string{"volumes", "gigabytes"}, limits)
	if err != nil || set["volumes"].InUse != 10 || set["gigabytes"].InUse != 10 {
		t.Errorf("use %v, %v", set, err)
	}
}

func TestMoveVolumeIsCompareAndSet(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t)
	v, err := newVolume(t.Context(), d, "p", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	move := func(m db.Move) (moved db.Volume, err error) {
		err = d.Tx(t.Context(), func(tx *db.Tx) error {
			moved, err = tx.MoveVolume(t.Context(), v.ID, m, "", nil)
			return err
		})
		return moved, err
	}
	done, err := move(db.CreateDone)
	if err != nil || done.Status != "available" || done.Generation != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := move(db.CreateDone); !fault.Is(err, fault.Conflict) {
		t.Fatalf("a second time: %v", err)
	}
	if _, err := move(db.ExtendBegin); err != nil {
		t.Fatal(err)
	}
	settled, err := move(db.ExtendDone)
	if err != nil || settled.Status != "available" {
		t.Fatalf("%+v, %v", settled, err)
	}
	history := dbtest.Rows(t, d, "SELECT status FROM volume_history WHERE volume_id = $1 ORDER BY generation", v.ID)
	if len(history) != 4 {
		t.Fatalf("history %v", history)
	}
}

func TestPagesByAnyKey(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t)
	for i := range 7 {
		v, err := newVolume(t.Context(), d, "p", 1+i%3, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 { // some names stay NULL
			err = d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.UpdateVolume(t.Context(), v.ID, map[string]any{"name": string(rune('a' + i))})
				return err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, sort := range [][]db.Sort{
		{{Key: "created_at", Desc: true}},
		{{Key: "created_at"}},
		{{Key: "display_name"}},
		{{Key: "display_name", Desc: true}},
		{{Key: "size"}, {Key: "display_name", Desc: true}},
	} {
		q := db.Query{Where: []db.Condition{db.VolumesOf("p")}, Sort: sort, Limit: 100}
		whole, err := d.Volumes(t.Context(), q)
		if err != nil || len(whole) != 7 {
			t.Fatalf("%v: %d, %v", sort, len(whole), err)
		}
		var paged []db.Volume
		for q.Limit = 2; ; q.Marker = paged[len(paged)-1].ID {
			some, err := d.Volumes(t.Context(), q)
			if err != nil {
				t.Fatalf("%v: %v", sort, err)
			}
			if len(some) == 0 {
				break
			}
			paged = append(paged, some...)
		}
		if len(paged) != 7 {
			t.Fatalf("%v: %d rows by pages", sort, len(paged))
		}
		for i := range whole {
			if whole[i].ID != paged[i].ID {
				t.Fatalf("%v: row %d differs", sort, i)
			}
		}
	}
	if _, err := d.Volumes(t.Context(), db.Query{Sort: []db.Sort{{Key: "x"}}, Limit: 1}); !fault.Is(err, fault.Invalid) {
		t.Errorf("unknown key: %v", err)
	}
	if _, err := d.Volumes(t.Context(), db.Query{Limit: 1, Marker: uuid.NewString()}); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown marker: %v", err)
	}
}
