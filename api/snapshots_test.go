package api

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"clinker/db"
)

func TestSnapshotLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", "")
	made := w.do("member", "POST", "/v3/snapshots", `{"snapshot": {"volume_id": "`+volume+`", "name": " one ", "description": "d", "metadata": {"a": "b"}}}`).want(t, 202)
	if made.at("snapshot", "name") != "one" || made.at("snapshot", "status") != "creating" || made.at("snapshot", "size") != 1.0 {
		t.Error(made.body)
	}
	id := w.take(volume)
	path := "/v3/snapshots/" + id
	w.do("member", "PUT", path, `{"snapshot": {"display_name": " two ", "display_description": "e"}}`).want(t, 200)
	if r := w.do("reader", "GET", path, "").want(t, 200); r.at("snapshot", "name") != "two" || r.at("snapshot", "description") != "e" {
		t.Error(r.body)
	}
	w.do("reader", "PUT", path, `{"snapshot": {"name": "x"}}`).want(t, 403)
	w.do("member", "PUT", path, `{"snapshot": {}}`).want(t, 400)
	w.do("member", "DELETE", "/v3/volumes/"+volume, "").want(t, 400)
	if r := w.do("member", "GET", "/v3/limits", ""); r.at("limits", "absolute", "totalSnapshotsUsed") != 2.0 || r.at("limits", "absolute", "totalGigabytesUsed") != 3.0 {
		t.Error(r.body)
	}
	if r := w.do("member", "DELETE", path, "").want(t, 202); r.body != "" {
		t.Error(r.body)
	}
	if r := w.do("member", "DELETE", path, "").want(t, 400); r.message() != undeletableSnapshot {
		t.Error(r.body)
	}
}

func TestSnapshotMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.take(w.volume("member", ""))
	path := "/v3/snapshots/" + id + "/metadata"
	for _, step := range []struct{ request, body, answer string }{
		{"GET ", "", `{"metadata":{"a":"1"}}`},
		{"POST ", `{"metadata": {"b": "2"}, "unheard": 1}`, `{"metadata":{"a":"1","b":"2"}}`},
		{"PUT /b", `{"meta": {"b": "3"}}`, `{"meta":{"b":"3"}}`},
		{"GET /b", "", `{"meta":{"b":"3"}}`},
		{"DELETE /a", "", ""},
		{"PUT ", `{"metadata": {"e f": "ü"}}`, `{"metadata":{"e f":"ü"}}`},
		{"PUT ", `{"metadata": {}}`, `{"metadata":{}}`},
	} {
		method, tail, _ := strings.Cut(step.request, " ")
		if r := w.do("member", method, path+tail, step.body); r.status != 200 || r.body != step.answer {
			t.Errorf("%s %s: %d %s, want %s", step.request, step.body, r.status, r.body, step.answer)
		}
	}
	for request, want := range map[string]int{
		`member PUT /a {"meta": {"b": "1"}}`: 400, `member POST  {"metadata": {"a/b": "1"}}`: 400, "member GET /no": 404,
		"member DELETE /no": 404, "other GET ": 404, "reader GET ": 200, `reader POST  {"metadata": {"a": "b"}}`: 403, "reader DELETE /no": 403,
	} {
		words := append(strings.SplitN(request, " ", 4), "")
		if r := w.do(words[0], words[1], path+words[2], words[3]); r.status != want {
			t.Errorf("%s: %d %s", request, r.status, r.body)
		}
	}
	if r := w.do("member", "GET", path+"/no", ""); r.message() != "Snapshot "+id+" has no metadata with key no." {
		t.Error(r.body)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { w.do("member", "POST", path, fmt.Sprintf(`{"metadata": {"k%d": "v"}}`, i)) })
	}
	wg.Wait()
	if m := w.do("member", "GET", path, "").at("metadata").(map[string]any); len(m) != 8 {
		t.Errorf("%d of 8 are left: %v", len(m), m)
	}
}

// visits follows the pages of lists, each written as persona and path, and checks
// that they show what a shelf holds, once.
func (w *world) visits(t *testing.T, noun string, starts ...string) {
	t.Helper()
	for _, start := range starts {
		persona, path, _ := strings.Cut(start, " ")
		seen := ""
		for range 9 {
			r := w.do(persona, "GET", path, "").want(t, 200)
			seen += strings.ReplaceAll(w.volumesOf(r), " ", "")
			if strings.Contains(path, "with_count") && r.at("count") != 5.0 {
				t.Error(r.body)
			}
			next, _ := r.at(noun+"_links", 0, "href").(string)
			if path = w.follow(start, next); path == "" {
				break
			}
		}
		if sorted(seen) != "abcde" {
			t.Errorf("%s: visited %s", start, seen)
		}
	}
}

func TestSnapshotPages(t *testing.T) {
	t.Parallel()
	w := shelf(t)
	w.visits(t, "snapshots",
		"member /v3/snapshots?limit=2", "member /v3/"+ownProject+"/snapshots/detail?limit=2", "member@71 /v3/snapshots/detail?limit=1&sort=volume_size:asc&with_count=true",
		"member@71 /v3/snapshots?limit=2&sort=updated_at:asc,name:desc",
	)
	w.do("member", "GET", "/v3/snapshots?marker="+missing, "").want(t, 404)
}

func TestVolumeOfASnapshot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.Limits = db.Limits{}
		o.Serves = func(specs map[string]string, _ db.PoolService) bool { return specs["volume_backend_name"] == "" }
	})
	gold := w.volumeType(`{"name": "gold"}`)
	w.volumeType(`{"name": "elsewhere", "extra_specs": {"volume_backend_name": "other"}}`)
	volume := w.volume("member", `, "size": 2, "volume_type": "`+gold+`"`)
	if _, err := w.db.Pool().Exec(t.Context(), `UPDATE volumes SET bootable = true, image_metadata = '{"os": "debian"}', availability_zone = 'zone2' WHERE id = $1`, volume); err != nil {
		t.Fatal(err)
	}
	snapshot := w.take(volume)
	for more, want := range map[string]string{
		``:                                      "202 gold 2",
		`, "size": 5`:                           "202 gold 5",
		`, "size": 1`:                           "400 Volume size '1'GB cannot be smaller than the snapshot size 2GB.",
		`, "volume_type": "__DEFAULT__"`:        "202 __DEFAULT__ 2",
		`, "volume_type": "elsewhere"`:          "400 requested type is not compatible",
		`, "availability_zone": "zone2"`:        "202 gold 2",
		`, "availability_zone": "nova"`:         "400 Volume must be in the same availability zone as the snapshot",
		`, "availability_zone": "mars"`:         "400 Availability zone 'mars' is invalid.",
		`, "source_volid": "` + volume + `"`:    "400 May specify only one of",
		`, "multiattach": true`:                 "400 multiattach",
		`, "name": "n", "metadata": {"a": "b"}`: "202 gold 2",
	} {
		r := w.do("member", "POST", "/v3/volumes", `{"volume": {"snapshot_id": "`+snapshot+`"`+more+`}}`)
		got := fmt.Sprintf("%d %v %v", r.status, r.at("volume", "volume_type"), r.at("volume", "size"))
		if r.status != 202 {
			got = fmt.Sprintf("%d %s", r.status, r.message())
		}
		if !strings.HasPrefix(got, want[:4]) || !strings.Contains(got, want[4:]) {
			t.Errorf("%s: %s, want %s", more, got, want)
		}
		if r.status == 202 && (r.at("volume", "snapshot_id") != snapshot || r.at("volume", "bootable") != "true" || r.at("volume", "availability_zone") != "zone2") {
			t.Errorf("%s: %s", more, r.body)
		}
	}
	w.do("other", "POST", "/v3/volumes", `{"volume": {"snapshot_id": "`+snapshot+`"}}`).want(t, 404)
	w.do("member", "DELETE", "/v3/snapshots/"+snapshot, "").want(t, 202)
	if r := w.do("member", "POST", "/v3/volumes", `{"volume": {"snapshot_id": "`+snapshot+`"}}`).want(t, 400); !strings.Contains(r.message(), "Originating snapshot status must be one of 'available' values") {
		t.Error(r.body)
	}
	// A copy of a volume has its type too.
	if r := w.do("member", "POST", "/v3/volumes", `{"volume": {"source_volid": "`+volume+`"}}`).want(t, 202); r.at("volume", "volume_type") != "gold" || r.at("volume", "bootable") != "true" {
		t.Error(r.body)
	}
}

func TestCascade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", "")
	first, second := w.take(volume), w.take(volume)
	w.do("admin", "POST", "/v3/snapshots/"+first+"/action", `{"os-reset_status": {"status": "backing-up"}}`).want(t, 202)
	if r := w.do("member", "DELETE", "/v3/volumes/"+volume+"?cascade=true", "").want(t, 400); !strings.Contains(r.message(), "Failed to update snapshot.") {
		t.Error(r.body)
	}
	if r := w.do("member", "GET", "/v3/snapshots/"+second, ""); r.at("snapshot", "status") != "available" {
		t.Error("something was changed", r.body)
	}
	w.do("admin", "POST", "/v3/snapshots/"+first+"/action", `{"os-reset_status": {"status": "error"}}`).want(t, 202)
	w.do("admin@23", "DELETE", "/v3/volumes/"+volume+"?force=true", "").want(t, 400)
	w.do("member", "DELETE", "/v3/volumes/"+volume+"?cascade=true", "").want(t, 202)
	for path, field := range map[string]string{"volumes/" + volume: "volume", "snapshots/" + first: "snapshot", "snapshots/" + second: "snapshot"} {
		if r := w.do("member", "GET", "/v3/"+path, ""); r.at(field, "status") != "deleting" {
			t.Error(r.body)
		}
	}
}

func TestSnapshotActions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/v3/snapshots/" + w.take(w.volume("member", ""))
	w.do("member", "POST", path+"/action", `{"os-reset_status": {"status": "error"}}`).want(t, 403)
	w.do("admin", "POST", path+"/action", `{"os-reset_status": {"status": "x"}}`).want(t, 400)
	w.do("admin", "POST", path+"/action", `{"os-reset_status": {"status": "Backing-Up"}}`).want(t, 202)
	if r := w.do("member", "GET", path, ""); r.at("snapshot", "status") != "backing-up" {
		t.Error(r.body)
	}
	w.do("member", "DELETE", path, "").want(t, 400)
	w.do("member", "POST", path+"/action", `{"os-force_delete": {}}`).want(t, 403)
	w.do("admin", "POST", path+"/action", `{"os-force_delete": ""}`).want(t, 202)
	if r := w.do("member", "GET", path, ""); r.at("snapshot", "status") != "deleting" {
		t.Error(r.body)
	}
	w.do("admin", "POST", path+"/action", `{"nope": {}}`).want(t, 400)
}

// no_snapshot_gb_quota: snapshots count as pieces only, and give back no more
// than they took, also when the option has changed meanwhile.
func TestNoSnapshotGBQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.NoSnapshotGBQuota = true; o.Limits = db.Limits{db.QuotaGigabytes: 1} })
	volume := w.volume("member", "")
	id := w.take(volume)
	w.server.NoSnapshotGBQuota = false
	if r := w.do("member", "POST", "/v3/snapshots", `{"snapshot": {"volume_id": "`+volume+`"}}`).want(t, 413); !strings.Contains(r.message(), "VolumeSizeExceedsAvailableQuota") {
		t.Error(r.body)
	}
	w.do("member", "DELETE", "/v3/snapshots/"+id, "").want(t, 202)
	err := w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.FinishSnapshotDelete(t.Context(), db.Snapshot{ID: id}) })
	wrong, recountErr := w.db.RecountQuota(t.Context())
	if err != nil || recountErr != nil || len(wrong) > 0 {
		t.Error(err, recountErr, wrong)
	}
	if r := w.do("member", "GET", "/v3/limits", ""); r.at("limits", "absolute", "totalGigabytesUsed") != 1.0 || r.at("limits", "absolute", "totalSnapshotsUsed") != 0.0 {
		t.Error(r.body)
	}
}

func TestRevertOfAnExtendedVolume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", "")
	snapshot := w.take(volume)
	if _, err := w.db.Pool().Exec(t.Context(), "UPDATE volumes SET size_gib = 3 WHERE id = $1", volume); err != nil {
		t.Fatal(err)
	}
	w.do("member@40", "POST", "/v3/volumes/"+volume+"/action", `{"revert": {"snapshot_id": "`+snapshot+`"}}`).want(t, 202)
	if r := w.do("member", "GET", "/v3/volumes/"+volume, ""); r.at("volume", "status") != "reverting" || r.at("volume", "size") != 3.0 {
		t.Error(r.body)
	}
}
