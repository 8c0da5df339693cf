package api

import (
	"fmt"
	"sync"
	"testing"

	"clinker/db"
	"clinker/db/dbtest"
)

// atOnce runs each request of a persona as often as is said, all side by side,
// and gives how often each status came.
func (w *world) atOnce(times int, requests ...[4]string) map[int]int {
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]int{}
	for _, r := range requests {
		for range times {
			wg.Go(func() {
				status := w.do(r[0], r[1], r[2], r[3]).status
				mu.Lock()
				defer mu.Unlock()
				seen[status]++
			})
		}
	}
	wg.Wait()
	return seen
}

// Of many who do the same at once, one succeeds where there can be only one.
func TestOnlyOneSucceeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.script()
	private, kind, qos, free := s.fill("/v3/types/{private}"), s.fill("{type}"), s.fill("/v3/qos-specs/{qos}"), s.fill("{free}")
	for what, c := range map[string]struct {
		request [4]string
		want    map[int]int
	}{
		"access":     {[4]string{"admin", "POST", private + "/action", `{"addProjectAccess": {"project": "p"}}`}, map[int]int{202: 1, 409: 7}},
		"encryption": {[4]string{"admin", "POST", private + "/encryption", `{"encryption": {"provider": "luks", "control_location": "front-end"}}`}, map[int]int{200: 1, 400: 7}},
		"name":       {[4]string{"admin", "POST", "/v3/qos-specs", `{"qos_specs": {"name": "only"}}`}, map[int]int{200: 1, 409: 7}},
		"keys":       {[4]string{"admin", "PUT", qos + "/delete_keys", `{"keys": ["total_iops_sec"]}`}, map[int]int{202: 1, 404: 7}},
		"default":    {[4]string{"admin@62", "PUT", "/v3/default-types/" + otherProject, `{"default_type": {"volume_type": "__DEFAULT__"}}`}, map[int]int{200: 8}},
		"retype":     {[4]string{"member", "POST", "/v3/volumes/" + free + "/action", `{"os-retype": {"new_type": "` + kind + `"}}`}, map[int]int{202: 1, 400: 7}},
	} {
		if got := w.atOnce(8, c.request); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
	if jobs := dbtest.Rows(t, w.db, "SELECT id::text FROM river_job WHERE kind = 'volume_retype'"); len(jobs) != 1 {
		t.Errorf("jobs %v", jobs)
	}
	w.counted()
}

func (w *world) counted() {
	w.t.Helper()
	if differences, err := w.db.RecountQuota(w.t.Context()); err != nil || len(differences) > 0 {
		w.t.Error(differences, err)
	}
}

// QoS specs, types and their use come and go at once: nothing is left that
// names what is gone, and no volume escapes its type's encryption.
func TestPartsOfTypesComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	for range 6 {
		s := w.script()
		kind, qos := s.fill("{type}"), s.fill("/v3/qos-specs/{qos}")
		other := w.script().fill("{type}")
		volume := s.fill("{free}")
		seen := w.atOnce(2,
			[4]string{"admin", "GET", qos + "/associate?vol_type_id=" + kind, ""},
			[4]string{"admin", "GET", qos + "/associate?vol_type_id=" + other, ""},
			[4]string{"admin", "DELETE", qos, ""},
			[4]string{"admin", "GET", qos + "/disassociate_all", ""},
			[4]string{"admin", "PUT", qos, `{"qos_specs": {"a": "b"}}`},
			[4]string{"admin", "POST", "/v3/types/" + kind + "/encryption", `{"encryption": {"provider": "luks", "control_location": "front-end"}}`},
			[4]string{"member", "POST", "/v3/volumes", `{"volume": {"size": 1, "volume_type": "` + kind + `"}}`},
			[4]string{"member", "POST", "/v3/volumes/" + volume + "/action", `{"os-retype": {"new_type": "` + other + `"}}`},
			[4]string{"admin", "DELETE", "/v3/types/" + other, ""},
			[4]string{"admin@62", "PUT", "/v3/default-types/" + otherProject, `{"default_type": {"volume_type": "` + other + `"}}`},
		)
		for status := range seen {
			if status >= 500 {
				t.Errorf("statuses %v", seen)
			}
		}
		if gone := dbtest.Rows(t, w.db, "SELECT name FROM default_types JOIN volume_types t ON t.id = volume_type_id WHERE deleted_at IS NOT NULL"); len(gone) > 0 {
			t.Errorf("default types that are deleted: %v", gone)
		}
		w.do("admin@62", "DELETE", "/v3/default-types/"+otherProject, "").want(t, 204)
	}
	w.counted()
	for what, sql := range map[string]string{
		"types deleted though volumes are to have them": `SELECT t.name FROM volume_types t WHERE t.deleted_at IS NOT NULL AND (EXISTS (SELECT 1 FROM volume_retypes r WHERE r.volume_type_id = t.id)
			OR EXISTS (SELECT 1 FROM volumes v WHERE v.volume_type_id = t.id AND v.deleted_at IS NULL))`,
		"volumes of encrypted types":                `SELECT v.id::text FROM volumes v JOIN volume_types t ON t.id = v.volume_type_id WHERE t.encrypted`,
		"encryption that the type does not know of": `SELECT name FROM volume_types t WHERE encrypted <> EXISTS (SELECT 1 FROM volume_type_encryption e WHERE e.volume_type_id = t.id)`,
	} {
		if left := dbtest.Rows(t, w.db, sql); len(left) > 0 {
			t.Errorf("%s: %v", what, left)
		}
	}
}
