package api

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"clinker/db"
)

// usage reads what a project uses, and checks that it is what the rows say.
func (w *world) usage(project string) string {
	w.t.Helper()
	wrong, err := w.db.RecountQuota(w.t.Context())
	if err != nil || len(wrong) > 0 {
		w.t.Error(wrong, err)
	}
	set, err := w.db.QuotaSet(w.t.Context(), project, []string{"volumes", "gigabytes", "snapshots", "gigabytes___DEFAULT__"}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprint(set["volumes"].InUse, set["gigabytes"].InUse, set["snapshots"].InUse, set["gigabytes___DEFAULT__"].InUse)
}

func TestTransferWithSnapshots(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", `, "name": "v"`)
	snapshot := w.take(volume)
	id, key := w.offer(volume, "")
	if r := w.do("member", "GET", "/v3/volumes/"+volume, ""); r.at("volume", "status") != "awaiting-transfer" {
		t.Error(r.body)
	}
	w.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+volume+`", "instance_uuid": "`+missing+`"}}`).want(t, 400)
	w.do("member", "POST", "/v3/snapshots", `{"snapshot": {"volume_id": "`+volume+`", "force": true}}`).want(t, 400)
	w.accept("other", id, key).want(t, 202)
	r := w.do("other", "GET", "/v3/volumes/"+volume, "").want(t, 200)
	if r.at("volume", "status") != "available" || r.at("volume", "user_id") != "d0000000000000000000000000000000" {
		t.Error(r.body)
	}
	if r := w.do("other", "GET", "/v3/snapshots/"+snapshot, "").want(t, 200); r.at("snapshot", "status") != "available" {
		t.Error(r.body)
	}
	for _, path := range []string{"volumes/" + volume, "snapshots/" + snapshot, "volume-transfers/" + id} {
		w.do("member", "GET", "/v3/"+path, "").want(t, 404)
	}
	if own, other := w.usage(ownProject), w.usage(otherProject); own != "0 0 0 0" || other != "1 2 1 2" {
		t.Error(own, other)
	}
	// What is used by nobody of the old project any more can be deleted by the new one.
	w.do("other", "DELETE", "/v3/volumes/"+volume+"?cascade=true", "").want(t, 202)
}

func TestTransferWithoutSnapshots(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", "")
	snapshot := w.take(volume)
	id, key := w.offer(volume, `, "no_snapshots": true`)
	w.accept("other", id, key).want(t, 202)
	w.do("member", "GET", "/v3/snapshots/"+snapshot, "").want(t, 200)
	w.do("other", "GET", "/v3/snapshots/"+snapshot, "").want(t, 404)
	if own, other := w.usage(ownProject), w.usage(otherProject); own != "0 1 1 1" || other != "1 1 0 1" {
		t.Error(own, other)
	}
	// The old project's snapshot holds the volume, but is not the new project's to delete.
	w.do("other", "DELETE", "/v3/volumes/"+volume, "").want(t, 400)
	w.do("other", "DELETE", "/v3/volumes/"+volume+"?cascade=true", "").want(t, 400)
	w.do("member", "DELETE", "/v3/snapshots/"+snapshot, "").want(t, 202)
}

func TestTransferWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", "")
	id, key := w.offer(volume, "")
	w.do("member", "DELETE", "/v3/os-volume-transfer/"+id, "").want(t, 202)
	if r := w.do("member", "GET", "/v3/volumes/"+volume, ""); r.at("volume", "status") != "available" {
		t.Error(r.body)
	}
	w.accept("other", id, key).want(t, 404)
	// An offer whose volume an administrator has reset does not outlive the next one.
	first, firstKey := w.offer(volume, "")
	w.do("admin", "POST", "/v3/volumes/"+volume+"/action", `{"os-reset_status": {"status": "available"}}`).want(t, 202)
	w.accept("other", first, firstKey).want(t, 400)
	second, secondKey := w.offer(volume, "")
	w.accept("other", first, firstKey).want(t, 404)
	w.do("member", "DELETE", "/v3/volume-transfers/"+first, "").want(t, 404)
	w.accept("member", second, secondKey).want(t, 202)
	if own := w.usage(ownProject); own != "1 1 0 1" {
		t.Error(own)
	}
	// A volume that is deleted by force takes its offer along.
	third, _ := w.offer(volume, "")
	w.do("admin@23", "DELETE", "/v3/volumes/"+volume+"?force=true", "").want(t, 202)
	v, _ := w.db.Volume(t.Context(), volume, "")
	if err := w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.FinishDelete(t.Context(), v) }); err != nil {
		t.Error(err)
	}
	w.do("member", "GET", "/v3/volume-transfers/"+third, "").want(t, 404)
	if r := w.do("member", "GET", "/v3/volume-transfers", ""); len(r.at("transfers").([]any)) != 0 {
		t.Error(r.body)
	}
}

// Fifty accepts at once: one gets each volume, and both projects' quota is right.
func TestTransferAcceptedByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	w.do("admin", "PUT", "/v3/os-quota-sets/"+otherProject, `{"quota_set": {"volumes": 3}}`).want(t, 200)
	type offered struct{ id, key string }
	var offers []offered
	for range 5 {
		volume := w.volume("member", "")
		w.take(volume)
		id, key := w.offer(volume, "")
		offers = append(offers, offered{id, key})
	}
	var mu sync.Mutex
	answers := map[int]int{}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			o := offers[i%5]
			r := w.accept("other", o.id, o.key)
			mu.Lock()
			defer mu.Unlock()
			answers[r.status]++
		})
	}
	wg.Wait()
	if answers[202] != 3 || answers[202]+answers[404]+answers[413] != 50 {
		t.Error(answers)
	}
	if own, other := w.usage(ownProject), w.usage(otherProject); own != "2 4 2 4" || other != "3 6 3 6" {
		t.Error(own, other)
	}
}

// A request that began while the volume was its project's does not reach it
// once it is another's.
func TestTransferOvertakesRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", "")
	snapshot := w.take(volume)
	id, key := w.offer(volume, "")
	w.accept("other", id, key).want(t, 202)
	for what, do := range map[string]func(tx *db.Tx) error{
		"delete": func(tx *db.Tx) error {
			_, err := tx.MoveVolume(t.Context(), volume, db.ForceDeleteBegin, "", nil)
			return err
		},
		"rename": func(tx *db.Tx) error {
			_, err := tx.UpdateVolume(t.Context(), volume, map[string]any{"name": "x"})
			return err
		},
		"attach": func(tx *db.Tx) error { return tx.TouchAttachments(t.Context(), volume) },
		"delete the snapshot": func(tx *db.Tx) error {
			return tx.BeginSnapshotDelete(t.Context(), snapshot, db.SnapshotDeleteBegin, "")
		},
		"snapshot": func(tx *db.Tx) error {
			return tx.InsertSnapshot(t.Context(), &db.Snapshot{ID: missing, VolumeID: volume, ProjectID: ownProject}, []string{"available"}, true, nil)
		},
	} {
		err := w.db.Tx(t.Context(), func(tx *db.Tx) error { tx.Within(ownProject); return do(tx) })
		if err == nil || !strings.Contains(err.Error(), "could not be found") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The key is in its one answer, and nowhere else.
func TestTransferKeyIsKeptNowhere(t *testing.T) {
	w := newWorld(t)
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	id, key := w.offer(w.volume("member", ""), "")
	w.accept("other", id, strings.Repeat("0", 16)).want(t, 400)
	var row string
	if err := w.db.Pool().QueryRow(t.Context(), "SELECT t::text || encode(t.salt, 'escape') || encode(t.crypt_hash, 'escape') FROM transfers t").Scan(&row); err != nil {
		t.Fatal(err)
	}
	shown := w.do("member@71", "GET", "/v3/volume-transfers/"+id, "").body + w.do("admin@71", "GET", "/v3/volume-transfers/detail", "").body
	for where, text := range map[string]string{"log": log.String(), "row": row, "answers": shown} {
		if strings.Contains(text, key) {
			t.Errorf("the key is in the %s", where)
		}
	}
}

// Following the links visits every transfer once, on both paths.
func TestTransferPages(t *testing.T) {
	t.Parallel()
	w := shelf(t)
	for _, start := range []string{
		"member /v3/volume-transfers?limit=2", "member@71 /v3/volume-transfers?limit=2", "member@71 /v3/volume-transfers/detail?limit=1&sort=display_name:desc",
		"member@71 /v3/os-volume-transfer?limit=2", "member@55 /v3/os-volume-transfer/detail?limit=3",
	} {
		persona, path, _ := strings.Cut(start, " ")
		seen := ""
		for pages := 0; path != ""; pages++ {
			r := w.do(persona, "GET", path, "").want(t, 200)
			seen += strings.ReplaceAll(w.volumesOf(r), " ", "")
			next, _ := r.at("transfers_links", 0, "href").(string)
			path = strings.TrimPrefix(next, "http://127.0.0.1:8776")
			if pages > 9 || next != "" && !strings.Contains(next, "/v3/os-volume-transfer") {
				t.Fatal(start, next)
			}
		}
		if sorted(seen) != "abcde" {
			t.Errorf("%s: visited %s", start, seen)
		}
	}
}

// TestTransferLeavesSnapshotsOfOthers: a snapshot that stayed with its project when
// the volume went is not the next project's to give away, nor its quota to give back.
func TestTransferLeavesSnapshotsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", "")
	kept := w.take(volume)
	id, key := w.offer(volume, `, "no_snapshots": true`)
	w.accept("other", id, key).want(t, 202)
	r := w.do("other@71", "POST", "/v3/volume-transfers", `{"transfer": {"volume_id": "`+volume+`"}}`).want(t, 202)
	id, key = r.at("transfer", "id").(string), r.at("transfer", "auth_key").(string)
	w.accept("other", id, key).want(t, 202)
	w.do("other", "GET", "/v3/snapshots/"+kept, "").want(t, 404)
	w.do("member", "GET", "/v3/snapshots/"+kept, "").want(t, 200)
	if own, other := w.usage(ownProject), w.usage(otherProject); own != "0 1 1 1" || other != "1 1 0 1" {
		t.Error(own, other)
	}
}
