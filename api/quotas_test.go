package api

import (
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"clinker/db"
)

func TestQuotaLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.volume("member", "")
	path := "/v3/os-quota-sets/" + ownProject
	shown := w.do("member", "GET", path, "").want(t, 200)
	if shown.at("quota_set", "volumes") != 10.0 || shown.at("quota_set", "volumes___DEFAULT__") != -1.0 ||
		shown.at("quota_set", "id") != ownProject || shown.at("quota_set", "groups") != 10.0 {
		t.Error(shown.body)
	}
	used := w.do("member", "GET", path+"?usage=True", "").want(t, 200)
	if used.at("quota_set", "volumes", "in_use") != 1.0 || used.at("quota_set", "volumes", "reserved") != 0.0 ||
		used.at("quota_set", "gigabytes", "limit") != 1000.0 {
		t.Error(used.body)
	}
	set := w.do("admin", "PUT", path, `{"quota_set": {"volumes": 1, "volumes___DEFAULT__": 5, "tenant_id": "x"}}`).want(t, 200)
	if set.at("quota_set", "volumes") != 1.0 || set.at("quota_set", "volumes___DEFAULT__") != 5.0 || set.at("quota_set", "id") != nil {
		t.Error(set.body)
	}
	over := w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1}}`).want(t, 413)
	if over.message() != "VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for quota 'volumes'." ||
		over.header.Get("Retry-After") != "0" || over.at("overLimit", "retryAfter") != "0" {
		t.Error(over.body, over.header)
	}
	if r := w.do("admin", "DELETE", path, "").want(t, 200); r.body != "" {
		t.Error(r.body)
	}
	if r := w.do("member", "GET", path, ""); r.at("quota_set", "volumes") != 10.0 {
		t.Error(r.body)
	}
}

func TestQuotaBelowUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.volume("member", "")
	path := "/v3/os-quota-sets/" + ownProject
	w.do("admin", "PUT", path, `{"quota_set": {"volumes": 0}}`).want(t, 200)
	for _, again := range []string{`{"quota_set": {"volumes": 0}}`, `{"quota_set": {"groups": 3, "volumes": 0}}`} {
		w.do("admin", "PUT", path, again).want(t, 400) // the project has a limit of its own now
	}
	w.do("admin", "PUT", path+"?skip_validation=true", `{"quota_set": {"volumes": 0}}`).want(t, 200)
	refused := w.do("admin", "PUT", path+"?skip_validation=false", `{"quota_set": {"volumes": 0, "groups": 3}}`).want(t, 400)
	if !strings.Contains(refused.message(), "Current usage is 1 and the requested limit is 0") {
		t.Error(refused.body)
	}
	if r := w.do("admin", "GET", path, ""); r.at("quota_set", "groups") != 10.0 {
		t.Error("a refused update changed something", r.body)
	}
	w.do("admin", "PUT", path+"?skip_validation=false", `{"quota_set": {"volumes": 1, "gigabytes": -1}}`).want(t, 200)
	w.do("admin", "PUT", path+"?skip_validation=x", `{"quota_set": {"volumes": 1}}`).want(t, 400)
}

// Limits are written in one order: of many updates at once none waits for another
// that waits for it, which PostgreSQL would end after a second, and db.Tx repeat.
func TestQuotaUpdatesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	limits := db.Limits{}
	for _, name := range db.QuotaNames([]string{"a", "b", "c"}) {
		limits[name] = 7
	}
	const updates = 60
	var begun atomic.Int32
	var all errgroup.Group
	all.SetLimit(6)
	for range updates {
		all.Go(func() error {
			return w.db.Tx(t.Context(), func(tx *db.Tx) error {
				begun.Add(1)
				return tx.SetQuota(t.Context(), ownProject, limits)
			})
		})
	}
	if err := all.Wait(); err != nil || begun.Load() != updates {
		t.Errorf("%v; %d transactions for %d updates", err, begun.Load(), updates)
	}
}

func TestQuotaClass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.do("admin", "PUT", "/v3/os-quota-class-sets/default", `{"quota_class_set": {"volumes": 7, "snapshots": "4"}}`).want(t, 200)
	if r.at("quota_class_set", "volumes") != 7.0 || r.at("quota_class_set", "id") != nil {
		t.Error(r.body)
	}
	if r := w.do("member", "GET", "/v3/os-quota-sets/"+ownProject, ""); r.at("quota_set", "volumes") != 7.0 || r.at("quota_set", "snapshots") != 4.0 {
		t.Error(r.body)
	}
	if r := w.do("member", "GET", "/v3/os-quota-sets/"+ownProject+"/defaults", ""); r.at("quota_set", "volumes") != 7.0 {
		t.Error(r.body)
	}
	if r := w.do("admin", "GET", "/v3/os-quota-class-sets/unheard", "").want(t, 200); r.at("quota_class_set", "volumes") != 7.0 ||
		r.at("quota_class_set", "id") != "unheard" {
		t.Error(r.body)
	}
	w.do("member", "GET", "/v3/os-quota-class-sets/default", "").want(t, 403)
}

func TestQuotaRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/v3/os-quota-sets/" + ownProject
	for body, field := range map[string]string{
		`{"quota_set": {"nope": 1}}`:               "nope",
		`{"quota_set": {"volumes": -2}}`:           "volumes",
		`{"quota_set": {"volumes": "9"}}`:          "volumes",
		`{"quota_set": {"volumes": 2147483648}}`:   "volumes",
		`{"quota_set": {"volumes": 1.5}}`:          "volumes",
		`{"quota_set": {"volumes": null}}`:         "volumes",
		`{"quota_set": {}}`:                        "quota_set",
		`{"quota_set": []}`:                        "quota_set",
		`{}`:                                       "quota_set",
		`{"quota_set": {"volumes": 1}, "more": 1}`: "more",
	} {
		r := w.do("admin", "PUT", path, body)
		if r.status != 400 || !strings.Contains(r.message(), field) {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
	for body, field := range map[string]string{
		`{"quota_class_set": {"nope": 1}}`:       "nope",
		`{"quota_class_set": {"volumes": "-1"}}`: "volumes",
		`{"quota_class_set": {"volumes": ""}}`:   "volumes",
		`{"quota_class_set": {"volumes": -2}}`:   "volumes",
	} {
		r := w.do("admin", "PUT", "/v3/os-quota-class-sets/default", body)
		if r.status != 400 || !strings.Contains(r.message(), field) {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
	w.do("admin", "PUT", "/v3/os-quota-sets/"+strings.Repeat("p", 256), `{"quota_set": {"volumes": 1}}`).want(t, 400)
	w.do("member", "GET", "/v3/os-quota-sets/"+otherProject, "").want(t, 403)
	w.do("member", "PUT", path, `{"quota_set": {"volumes": 1}}`).want(t, 403)
	w.do("member", "GET", path+"?usage=x", "").want(t, 400)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.volume("other", "")
	own := w.do("member", "GET", "/v3/limits", "").want(t, 200)
	if own.at("limits", "absolute", "totalVolumesUsed") != 0.0 || own.at("limits", "absolute", "maxTotalVolumes") != 10.0 {
		t.Error(own.body)
	}
	for persona, used := range map[string]float64{"admin@39": 1, "admin@38": 0, "member@39": 0} {
		r := w.do(persona, "GET", "/v3/limits?project_id="+otherProject, "").want(t, 200)
		if r.at("limits", "absolute", "totalVolumesUsed") != used {
			t.Errorf("%s: %s", persona, r.body)
		}
	}
}
