package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

func TestBackupViews(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.views(w.backupViews())
}

func TestBackupLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", `, "name": "data"`)
	made := w.do("member@51", "POST", "/v3/backups", `{"backup": {"volume_id": "`+volume+`", "name": " one ", "description": "d", "metadata": {"a": "b"}, "availability_zone": "nova", "snapshot_id": null, "container": ""}}`).want(t, 202)
	id := made.at("backup", "id").(string)
	if made.at("backup", "name") != "one" || made.at("backup", "links", 1, "href") != "http://127.0.0.1:8776/backups/"+id {
		t.Error(made.body)
	}
	path := "/v3/backups/" + id
	r := w.do("reader@71", "GET", path, "").want(t, 200)
	if r.at("backup", "status") != "creating" || r.at("backup", "size") != 1.0 || r.at("backup", "object_count") != 0.0 || r.at("backup", "container") != nil ||
		r.at("backup", "data_timestamp") != r.at("backup", "created_at") || r.at("backup", "metadata", "a") != "b" || w.statusOf(volume) != "backing-up" {
		t.Error(r.body)
	}
	w.backedUp(id)
	r = w.do("reader", "GET", path, "").want(t, 200)
	if r.at("backup", "status") != "available" || r.at("backup", "object_count") != 3.0 || r.at("backup", "container") != "backups" || r.at("backup", "availability_zone") != "nova" || w.statusOf(volume) != "available" {
		t.Error(r.body)
	}
	w.do("member@8", "PUT", path, `{"backup": {"name": "x"}}`).want(t, 404)
	w.do("reader@9", "PUT", path, `{"backup": {"name": "x"}}`).want(t, 403)
	w.do("member@9", "PUT", path, `{"backup": {"metadata": {}}}`).want(t, 400)
	w.do("member@9", "PUT", path, `{"backup": null}`).want(t, 200)
	if r := w.do("member@43", "PUT", path, `{"backup": {"name": null, "description": " e ", "metadata": {"c": "d"}}}`).want(t, 200); r.at("backup", "name") != nil || r.at("backup", "links") == nil {
		t.Error(r.body)
	}
	if r := w.do("member@43", "GET", path, ""); r.at("backup", "name") != nil || r.at("backup", "description") != "e" || r.at("backup", "metadata", "c") != "d" || r.at("backup", "metadata", "a") != nil {
		t.Error(r.body)
	}
	limits := func(count, gigabytes float64) {
		t.Helper()
		if r := w.do("member", "GET", "/v3/limits", ""); r.at("limits", "absolute", "totalBackupsUsed") != count || r.at("limits", "absolute", "totalBackupGigabytesUsed") != gigabytes {
			t.Error(r.body)
		}
	}
	limits(1, 1)
	// A volume with backups can go; they stay.
	w.do("member", "DELETE", "/v3/volumes/"+volume, "").want(t, 202)
	if r := w.do("member", "DELETE", path, "").want(t, 202); r.body != "" {
		t.Error(r.body)
	}
	w.do("member", "DELETE", path, "").want(t, 400)
	limits(1, 1)
	if err := w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.FinishBackupDelete(t.Context(), db.Backup{ID: id}) }); err != nil {
		t.Fatal(err)
	}
	w.do("member", "GET", path, "").want(t, 404)
	limits(0, 0)
}

// What was never stored needs no service to go away, and gives back its quota and
// its volume at once.
func TestDeleteOfABackupThatWasNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", "")
	id := w.do("member", "POST", "/v3/backups", `{"backup": {"volume_id": "`+volume+`"}}`).want(t, 202).at("backup", "id").(string)
	w.do("admin", "POST", "/v3/backups/"+id+"/action", `{"os-force_delete": {}}`).want(t, 202)
	w.do("member", "GET", "/v3/backups/"+id, "").want(t, 404)
	if w.statusOf(volume) != "available" {
		t.Error(w.statusOf(volume))
	}
	if wrong, err := w.db.RecountQuota(t.Context()); err != nil || len(wrong) > 0 {
		t.Error(wrong, err)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", `, "name": "data"`)
	id := w.backUp(volume, "")
	path := "/v3/backups/" + id
	r := w.do("member", "POST", path+"/restore", `{"restore": {}}`).want(t, 202)
	restored := r.at("restore", "volume_id").(string)
	if r.at("restore", "backup_id") != id || r.at("restore", "volume_name") != "restore_backup_"+id {
		t.Error(r.body)
	}
	if r := w.do("member", "GET", "/v3/volumes/"+restored, ""); r.at("volume", "status") != "creating" || r.at("volume", "size") != 1.0 || r.at("volume", "description") != "auto-created_from_restore_from_backup" {
		t.Error(r.body)
	}
	if r := w.do("member", "GET", path, ""); r.at("backup", "status") != "restoring" {
		t.Error(r.body)
	}
	w.restored(restored, id)
	if r := w.do("member", "GET", "/v3/volumes/"+restored, ""); r.at("volume", "status") != "available" || r.at("volume", "name") != "data" || r.at("volume", "metadata", "src_backup_id") != id {
		t.Error(r.body)
	}
	if r := w.do("member", "POST", path+"/restore", `{"restore": {"name": "mine", "volume_id": null}}`).want(t, 202); r.at("restore", "volume_name") != "mine" {
		t.Error(r.body)
	}
	// The simulated node has gone to another store.
	other := w.backUp(w.volume("member", ""), "")
	w.sql("UPDATE services SET backup_store = 'store-2' WHERE daemon = 'cinder-backup'")
	if r := w.do("member", "POST", "/v3/backups/"+other+"/restore", `{"restore": {"volume_id": "`+volume+`"}}`).want(t, 400); !strings.Contains(r.message(), "does not reach the store of backup") {
		t.Error(r.body)
	}
}

// restored does what the scheduler would.
func (w *world) restored(volumeID, backupID string) {
	w.t.Helper()
	_, err := w.db.Claim(w.t.Context(), volumeID, w.pool.ID, 1<<30, false)
	v, readErr := w.db.Volume(w.t.Context(), volumeID, "")
	b, backupErr := w.db.Backup(w.t.Context(), backupID, "")
	if err == nil && readErr == nil && backupErr == nil {
		err = w.db.Tx(w.t.Context(), func(tx *db.Tx) error { return tx.FinishRestore(w.t.Context(), v, b) })
	}
	if err != nil || readErr != nil || backupErr != nil {
		w.t.Fatal(err, readErr, backupErr)
	}
}

func TestVolumeOfABackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	gold := w.volumeType(`{"name": "gold"}`)
	volume := w.volume("member", `, "size": 2, "name": "data", "metadata": {"m": "1"}`)
	w.sql(`UPDATE volumes SET bootable = true, image_metadata = '{"os": "debian"}' WHERE id = $1`, volume)
	id := w.backUp(volume, "")
	w.sql("UPDATE backups SET size_gib = 2 WHERE id = $1", id)
	for more, want := range map[string]string{
		``:                                   "202 __DEFAULT__ 2",
		`, "size": 5`:                        "202 __DEFAULT__ 5",
		`, "size": 1`:                        "400 Invalid input received: Volume size 1GB cannot be smaller than the backup size 2GB. It must be >= backup size.",
		`, "volume_type": "` + gold + `"`:    "202 gold 2",
		`, "source_volid": "` + volume + `"`: "400 May specify only one of",
		`, "name": "n"`:                      "202 __DEFAULT__ 2",
	} {
		r := w.do("member@47", "POST", "/v3/volumes", `{"volume": {"backup_id": "`+id+`"`+more+`}}`)
		got := fmt.Sprintf("%d %v %v", r.status, r.at("volume", "volume_type"), r.at("volume", "size"))
		if r.status != 202 {
			got = fmt.Sprintf("%d %s", r.status, r.message())
		}
		if !strings.HasPrefix(got, want[:4]) || !strings.Contains(got, want[4:]) {
			t.Errorf("%s: %s, want %s", more, got, want)
		}
	}
	made := w.do("member@47", "POST", "/v3/volumes", `{"volume": {"backup_id": "`+id+`"}}`).want(t, 202).at("volume", "id").(string)
	w.restored(made, id)
	r := w.do("member", "GET", "/v3/volumes/"+made, "")
	if r.at("volume", "bootable") != "true" || r.at("volume", "volume_image_metadata", "os") != "debian" || r.at("volume", "metadata", "m") != "1" || r.at("volume", "name") != "data" {
		t.Error(r.body)
	}
	w.do("other@47", "POST", "/v3/volumes", `{"volume": {"backup_id": "`+id+`"}}`).want(t, 404)
	w.do("member@46", "POST", "/v3/volumes", `{"volume": {"backup_id": "`+id+`"}}`).want(t, 202)
	w.do("admin", "POST", "/v3/backups/"+id+"/action", `{"os-reset_status": {"status": "error"}}`).want(t, 202)
	if r := w.do("member@47", "POST", "/v3/volumes", `{"volume": {"backup_id": "`+id+`"}}`).want(t, 400); !strings.Contains(r.message(), "Invalid backup: Originating backup status must be one of 'available' values") {
		t.Error(r.body)
	}
}

func TestBackupPages(t *testing.T) {
	t.Parallel()
	w := shelf(t)
	w.visits(t, "backups",
		"member /v3/backups?limit=2", "member /v3/"+ownProject+"/backups/detail?limit=2", "member@71 /v3/backups/detail?limit=1&sort=size:asc&with_count=true",
		"member@71 /v3/backups?limit=2&sort=updated_at:asc,name:desc", "member@71 /v3/backups?limit=2&sort=parent_id:desc",
	)
	w.do("member", "GET", "/v3/backups?marker="+missing, "").want(t, 404)
}

// Of many at once as many succeed as the quota allows, and the counters are right.
func TestBackupQuotaRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.Limits = db.Limits{db.QuotaBackups: 5, db.QuotaBackupGigabytes: 100}
	})
	var volumes []string
	for range 12 {
		volumes = append(volumes, w.volume("member", ""))
	}
	var mu sync.Mutex
	made := map[int]int{}
	var wg sync.WaitGroup
	for _, volume := range volumes {
		for range 2 {
			wg.Go(func() {
				r := w.do("member", "POST", "/v3/backups", `{"backup": {"volume_id": "`+volume+`"}}`)
				mu.Lock()
				defer mu.Unlock()
				made[r.status]++
			})
		}
	}
	wg.Wait()
	if made[202] != 5 || made[202]+made[400]+made[413] != 24 {
		t.Error(made)
	}
	if wrong, err := w.db.RecountQuota(t.Context()); err != nil || len(wrong) > 0 {
		t.Error(wrong, err)
	}
	var held int
	if err := w.db.Pool().QueryRow(t.Context(), "SELECT count(*) FROM volumes WHERE status = 'backing-up'").Scan(&held); err != nil || held != 5 {
		t.Error(held, err)
	}
}

// Deleting a backup and adding to it exclude each other.
func TestIncrementalRacesDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	for range 12 {
		volume := w.volume("member", "")
		id := w.backUp(volume, "")
		var deleted, added response
		var wg sync.WaitGroup
		wg.Go(func() { deleted = w.do("member", "DELETE", "/v3/backups/"+id, "") })
		wg.Go(func() {
			added = w.do("member", "POST", "/v3/backups", `{"backup": {"volume_id": "`+volume+`", "incremental": true}}`)
		})
		wg.Wait()
		if (deleted.status == 202) == (added.status == 202) {
			t.Errorf("%d %s\n%d %s", deleted.status, deleted.body, added.status, added.body)
		}
	}
}

func TestExportAndImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	volume := w.volume("member", `, "name": "data"`)
	full := w.backUp(volume, `, "description": "d", "metadata": {"a": "b"}`)
	increment := w.backUp(volume, `, "incremental": true`)
	export := func(id string) (service, url string) {
		r := w.do("admin", "GET", "/v3/backups/"+id+"/export_record", "").want(t, 200)
		return r.at("backup-record", "backup_service").(string), r.at("backup-record", "backup_url").(string)
	}
	service, fullRecord := export(full)
	_, incrementRecord := export(increment)
	if service != "cinder.backup.drivers.posix.PosixBackupDriver" {
		t.Error(service)
	}
	before := w.do("admin@71", "GET", "/v3/backups/"+full, "")
	w.sql("TRUNCATE backups, backup_history")
	w.sql("DELETE FROM quota_usages WHERE resource LIKE 'backup%'")
	load := func(record string) response {
		return w.do("admin", "POST", "/v3/backups/import_record", `{"backup-record": {"backup_service": "`+service+`", "backup_url": "`+record+`"}}`)
	}
	if r := load(fullRecord).want(t, 201); r.at("backup", "id") != full || r.at("backup", "name") != "kept" {
		t.Error(r.body)
	}
	load(fullRecord).want(t, 400)
	load(incrementRecord).want(t, 201)
	after := w.do("admin@71", "GET", "/v3/backups/"+full, "")
	for _, field := range []string{"id", "name", "description", "size", "volume_id", "container", "data_timestamp", "snapshot_id"} {
		if before.at("backup", field) != after.at("backup", field) {
			t.Errorf("%s: %v became %v", field, before.at("backup", field), after.at("backup", field))
		}
	}
	if after.at("backup", "status") != "creating" || after.at("backup", "metadata", "a") != "b" {
		t.Error(after.body)
	}
	if r := w.do("admin", "GET", "/v3/backups/"+increment, ""); r.at("backup", "is_incremental") != true {
		t.Error(r.body)
	}
	var generation int64
	if err := w.db.Pool().QueryRow(t.Context(), "SELECT generation FROM backups WHERE id = $1", full).Scan(&generation); err != nil || generation < 1_700_000_000 {
		t.Error("nodes may remember a later one than", generation, err)
	}
	if wrong, err := w.db.RecountQuota(t.Context()); err != nil || len(wrong) > 0 {
		t.Error(wrong, err)
	}
	// A row that was deleted is written anew.
	w.do("admin", "POST", "/v3/backups/"+increment+"/action", `{"os-force_delete": {}}`).want(t, 202)
	w.do("admin", "GET", "/v3/backups/"+increment, "").want(t, 404) // nobody has looked into the store yet
	load(incrementRecord).want(t, 201)
	w.do("admin", "PUT", "/v3/os-quota-sets/"+ownProject, `{"quota_set": {"backup_gigabytes": 2}}`).want(t, 200)
	another := alter(t, fullRecord, func(m map[string]any) { m["id"] = uuid.NewString() })
	if r := load(another).want(t, 413); !strings.Contains(r.message(), "VolumeBackupSizeExceedsAvailableQuota") {
		t.Error(r.body)
	}
}

// alter rewrites a record.
func alter(t testing.TB, record string, change func(map[string]any)) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(record)
	var m map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	change(m)
	raw, _ = json.Marshal(m)
	return base64.StdEncoding.EncodeToString(raw)
}

func TestHostileRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	id := w.backUp(w.volume("member", ""), "")
	record := w.do("admin", "GET", "/v3/backups/"+id+"/export_record", "").want(t, 200).at("backup-record", "backup_url").(string)
	fresh := uuid.NewString()
	for field, c := range map[string]struct {
		value any
		want  string
	}{
		"id":                  {"../../etc/passwd", "id must be a UUID"},
		"volume_id":           {"x", "volume_id must be a UUID"},
		"parent_id":           {fresh, "cannot be its own parent_id"},
		"snapshot_id":         {7, "snapshot_id must not be a number"},
		"encryption_key_id":   {"x", "encryption_key_id must be a UUID"},
		"size":                {0, "size must be a number of GiB"},
		"object_count":        {-1, "object_count must not be negative"},
		"display_name":        {strings.Repeat("n", 256), "display_name must have at most 255 characters"},
		"display_description": {"a\x00b", "display_description"},
		"container":           {[]string{}, "container must not be a array"},
		"metadata":            {map[string]any{"a": 7}, "must not be a number"},
		"driver_info":         {"x", "driver_info must not be a string"},
		"service_metadata":    {strings.Repeat("n", 300), "service_metadata"},
	} {
		hostile := alter(t, record, func(m map[string]any) { m["id"] = fresh; m[field] = c.value })
		r := w.do("admin", "POST", "/v3/backups/import_record", `{"backup-record": {"backup_service": "x", "backup_url": "`+hostile+`"}}`)
		if r.status != 400 || !strings.Contains(r.message(), c.want) {
			t.Errorf("%s: %d %s", field, r.status, r.body)
		}
	}
	for _, field := range requiredOfRecord {
		hostile := alter(t, record, func(m map[string]any) { m["id"] = fresh; delete(m, field) })
		r := w.do("admin", "POST", "/v3/backups/import_record", `{"backup-record": {"backup_service": "x", "backup_url": "`+hostile+`"}}`)
		if r.status != 400 || !strings.Contains(r.message(), "there are missing fields ("+field+")") {
			t.Errorf("%s: %d %s", field, r.status, r.body)
		}
	}
}

// Whatever a record says, it is refused in words or can be a row.
func FuzzBackupRecord(f *testing.F) {
	f.Add("")
	f.Add("e30=")
	f.Add(recordOf(db.Backup{ID: missing, VolumeID: missing, SizeGiB: 1, Metadata: db.StringMap{"a": "b"}}))
	f.Add(base64.StdEncoding.EncodeToString([]byte(`{"id": "` + missing + `", "size": 1e99}`)))
	for range 4 {
		f.Add(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"id": %d, "size": null}`, rand.Int())))
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := readRecord(text)
		if err != nil {
			if _, message := errorStatus(t.Context(), err, ""); message == "" || strings.Contains(message, "json:") || strings.Contains(message, "Go ") {
				t.Errorf("%q: %q", text, message)
			}
			return
		}
		if !db.ValidID(r.ID) || r.Size < 1 {
			t.Errorf("%q: %+v", text, r)
		}
	})
}

// Of two backups that were restored to a volume, both in vain, it is the second that is
// gone on with, though the first was renamed since.
func TestResumeOfTheLastRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onto := w.volume("member", "")
	fail := func() (v db.Volume) {
		v, err := w.db.Volume(t.Context(), onto, "")
		if err == nil {
			err = w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.FailRestoreOver(t.Context(), v, "in vain") })
		}
		if err == nil {
			v, err = w.db.Volume(t.Context(), onto, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	begin := func() string {
		backup := w.backUp(w.volume("member", ""), "")
		w.do("member", "POST", "/v3/backups/"+backup+"/restore", `{"restore": {"volume_id": "`+onto+`"}}`).want(t, 202)
		return backup
	}
	first := begin()
	fail()
	w.do("admin", "POST", "/v3/volumes/"+onto+"/action", `{"os-reset_status": {"status": "available"}}`).want(t, 202)
	second := begin()
	v := fail()
	w.do("member@9", "PUT", "/v3/backups/"+first, `{"backup": {"name": "renamed"}}`).want(t, 200)
	if err := w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.RestoreAgain(t.Context(), first) }); !fault.Is(err, fault.Conflict) {
		t.Errorf("the first is begun anew: %v", err)
	}
	if err := w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.ResumeRestore(t.Context(), v) }); err != nil {
		t.Fatal(err)
	}
	for backup, want := range map[string]string{first: db.BackupAvailable, second: db.BackupRestoring} {
		if b, err := w.db.Backup(t.Context(), backup, ""); err != nil || b.Status != want {
			t.Errorf("%s, not %s: %v", b.Status, want, err)
		}
	}
	fail()
	if err := w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.RestoreAgain(t.Context(), second) }); err != nil {
		t.Error(err)
	}
}
