package api

import (
	"fmt"
	"sync"
	"testing"

	"clinker/db"
	"clinker/db/dbtest"
)

// Volumes are made and deleted while their type is renamed, changed and
// deleted: whoever wins, the quota counts what there is, under its name.
func TestTypeChangesWhileVolumesAreMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	id := w.volumeType(`{"name": "name-0"}`)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 12 {
				r := w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 3, "volume_type": "`+id+`"}}`)
				if r.status == 202 {
					w.do("member", "DELETE", "/v3/volumes/"+r.at("volume", "id").(string), "").is(t, 202, 400)
				}
				r.is(t, 202, 404)
			}
		})
	}
	wg.Go(func() {
		for i := range 30 {
			w.do("admin", "PUT", "/v3/types/"+id, fmt.Sprintf(`{"volume_type": {"name": "name-%d"}}`, i%3)).is(t, 200, 404)
		}
		w.do("admin", "DELETE", "/v3/types/"+id, "").is(t, 202, 400)
	})
	wg.Wait()
	differences, err := w.db.RecountQuota(t.Context())
	if err != nil || len(differences) > 0 {
		t.Error(differences, err)
	}
	for _, gone := range w.rowsOfDeletedTypes() {
		t.Errorf("volume %s has a type that is deleted", gone)
	}
}

// is fails the test unless the status is one of those.
func (r response) is(t *testing.T, statuses ...int) {
	t.Helper()
	for _, status := range statuses {
		if r.status == status {
			return
		}
	}
	t.Errorf("%d, not one of %v: %s", r.status, statuses, r.body)
}

func (w *world) rowsOfDeletedTypes() []string {
	return dbtest.Rows(w.t, w.db, `SELECT v.id::text FROM volumes v JOIN volume_types t ON t.id = v.volume_type_id
		WHERE v.deleted_at IS NULL AND t.deleted_at IS NOT NULL`)
}
