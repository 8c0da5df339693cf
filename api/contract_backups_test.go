package api

import (
	"maps"

	"github.com/google/uuid"

	"clinker/db"
)

// What the contract's tables say of backups; see contract_test.go.
func init() {
	const create = `{"backup": {"volume_id": "{free}"}}`
	maps.Copy(moreWords, map[string]func(*script) string{
		"backedup": func(s *script) string { return s.volume("member", `, "name": "data", "metadata": {"m": "1"}`) },
		"backup":   func(s *script) string { return s.backUp(s.fill("{backedup}"), "") },
		"increment": func(s *script) string {
			s.fill("{backup}")
			return s.backUp(s.fill("{backedup}"), `, "incremental": true`)
		},
		"bigbackup":  func(s *script) string { return s.backUp(s.fill("{big}"), "") },
		"bakforeign": func(s *script) string { return s.backUpAs("other", s.volume("other", ""), "") },
		"record": func(s *script) string {
			return s.do("admin", "GET", "/v3/backups/"+s.fill("{backup}")+"/export_record", "").want(s.t, 200).at("backup-record", "backup_url").(string)
		},
	})
	for _, status := range []string{"creating", "error", "restoring", "deleting"} {
		moreWords["bak"+status] = func(s *script) string {
			id := s.backUp(s.volume("member", ""), "")
			s.sql("UPDATE backups SET status = $1 WHERE id = $2", status, id)
			return id
		}
	}
	const off, on = `admin PUT /os-services/disable {"host": "node1", "binary": "cinder-backup"} -> 200`, `admin PUT /os-services/enable {"host": "node1", "binary": "cinder-backup"} -> 200`
	maps.Copy(errorScripts, map[string][]string{
		"backups.create|backup count": {
			`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"backups": 0}} -> 200`,
			`member POST /backups ` + create + ` -> 413 BackupLimitExceeded: Maximum number of backups allowed (0) exceeded`,
			`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"backups": -1, "backup_gigabytes": 1}} -> 200`,
			`member POST /backups {"backup": {"volume_id": "{big}"}} -> 413 VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota. Requested 2G, quota is 1G and 0G has been consumed.`,
			`member GET /volumes/{big} -> 200 "available"`, `admin DELETE /os-quota-sets/` + ownProject + ` -> 200`,
		},
		"backups.create|in-use": {
			`member POST /backups {"backup": {"volume_id": "{used}"}} -> 400 Invalid volume: Backing up an in-use volume must use the force flag.`,
			`member POST /backups {"backup": {"volume_id": "{used}", "force": "yes"}} -> 202 "links"`, `member GET /volumes/{used} -> 200 "backing-up"`,
			`member POST /backups {"backup": {"volume_id": "{used}", "force": true}} -> 400 Invalid volume: Volume to be backed up must be available or in-use, but the current status is \"backing-up\".`,
			`member POST /backups {"backup": {"volume_id": "{free}", "container": "/etc"}} -> 400 Invalid input for field/attribute container. Value: /etc. '/etc' does not match pattern`,
			`member POST /backups {"backup": {"volume_id": "{error}", "force": true}} -> 400 but the current status is \"error\".`,
			`member POST /backups {"backup": {"volume_id": "{missing}"}} -> 404 Volume {missing} could not be found.`,
			`member POST /backups {"backup": {"volume_id": "{foreign}"}} -> 404 Volume {foreign} could not be found.`,
			`reader POST /backups ` + create + ` -> 403 Policy doesn't allow backup:create to be performed.`,
		},
		"backups.create|incremental": {
			`member POST /backups {"backup": {"volume_id": "{free}", "incremental": true}} -> 400 Invalid backup: No backups available to do an incremental backup.`,
			`member GET /volumes/{free} -> 200 "available"`, `member GET /backups/{backup} -> 200 "is_incremental":false`,
			`admin POST /backups/{backup}/action {"os-reset_status": {"status": "error"}} -> 202`,
			`member POST /backups {"backup": {"volume_id": "{backedup}", "incremental": true}} -> 400 Invalid backup: The parent backup must be available for incremental backup.`,
			`admin POST /backups/{backup}/action {"os-reset_status": {"status": "Available"}} -> 202`, `member GET /backups/{increment} -> 200 "is_incremental":true`,
			`member GET /backups/{backup} -> 200 "has_dependent_backups":true`,
		},
		"backups.create|snapshot": {
			`member POST /backups {"backup": {"volume_id": "{free}", "snapshot_id": "{snapshot}"}} -> 400 Invalid volume: Volume {free} does not match with snapshot.volume_id {snapped}.`,
			`member POST /backups {"backup": {"volume_id": "{snapped}", "snapshot_id": "{missing}"}} -> 404 Snapshot {missing} could not be found.`,
			`member POST /backups {"backup": {"volume_id": "{snapped}", "snapshot_id": "{snapshot}"}} -> 202`, `member GET /snapshots/{snapshot} -> 200 "backing-up"`,
			`member GET /volumes/{snapped} -> 200 "available"`,
			`member POST /backups {"backup": {"volume_id": "{snapped}", "snapshot_id": "{snapshot}"}} -> 400 Invalid snapshot: Snapshot to be backed up must be available, but the current status is \"backing-up\".`,
		},
		"backups.create|no backup": {`member GET /backups/{backup} -> 200`, off, `member POST /backups ` + create + ` -> 202`, on},
		"backups.import|no backup": {
			`member GET /backups/{backup} -> 200`, off,
			`admin POST /backups/import_record {"backup-record": {"backup_service": "my.driver", "backup_url": "eA=="}} -> 503 Service my.driver could not be found.`, on,
		},
		"backups.delete, backups.restore, ": {
			`member GET /backups/{backup} -> 200`, off, `member DELETE /backups/{backup} -> 404 Service cinder-backup could not be found.`,
			`member POST /backups/{backup}/restore {"restore": null} -> 404 Service cinder-backup could not be found.`,
			`member POST /backups/{backup}/restore {"restore": {"volume_id": "{free}"}} -> 404 Service cinder-backup could not be found.`,
			`admin GET /backups/{backup}/export_record -> 404 Service cinder-backup could not be found.`,
			`admin POST /backups/{backup}/action {"os-reset_status": {"status": "error"}} -> 404 Service cinder-backup could not be found.`,
			`admin POST /backups/{backup}/action {"os-force_delete": {}} -> 404 Service cinder-backup could not be found.`,
			`member GET /backups/{backup} -> 200 "status":"available"`, on,
		},
		"backups.restore|backup not": {
			`member POST /backups/{bakerror}/restore {"restore": {}} -> 400 Invalid backup: Backup status must be available`,
			`member POST /backups/{backup}/restore {"restore": {"volume_id": "{used}"}} -> 400 Invalid volume: Volume to be restored to must be available`,
			`member POST /backups/{backup}/restore {"restore": {"volume_id": "{missing}"}} -> 404 Volume {missing} could not be found.`,
			`member POST /backups/{backup}/restore {"restore": {"volume_id": "{foreign}"}} -> 404`,
			`member POST /backups/{bigbackup}/restore {"restore": {"volume_id": "{free}"}} -> 400 Invalid volume: volume size 1 is too small to restore backup of size 2.`,
			`reader POST /backups/{backup}/restore {"restore": {}} -> 403 backup:restore`, `other POST /backups/{backup}/restore {"restore": {}} -> 404 Backup {backup} could not be found.`,
			`member POST /backups/{backup}/restore {"restore": {"volume_id": "{free}"}} -> 202 "volume_name":"free"`,
			`member GET /volumes/{free} -> 200 "restoring-backup"`, `member GET /backups/{backup} -> 200 "restoring"`,
			`member POST /backups/{backup}/restore {"restore": {}} -> 400 Invalid backup: Backup status must be available`,
		},
		"backups.delete|status": {
			`member DELETE /backups/{bakcreating} -> 400 Invalid backup: Backup status must be available or error`, `member DELETE /backups/{bakdeleting} -> 400`, `member DELETE /backups/{bakrestoring} -> 400`,
			`member GET /backups/{increment} -> 200`, `member DELETE /backups/{backup} -> 400 Invalid backup: Incremental backups exist for this backup.`,
			`admin POST /backups/{backup}/action {"os-force_delete": null} -> 400 Invalid backup: Incremental backups exist for this backup.`,
			`reader DELETE /backups/{increment} -> 403 backup:delete`, `other DELETE /backups/{increment} -> 404`, `member DELETE /backups/{increment} -> 202`, `member DELETE /backups/{bakerror} -> 202`,
			`member GET /backups/{bakerror} -> 200 "deleting"`, `member DELETE /backups/x -> 404 Backup x could not be found.`, `member DELETE /backups/{bakforeign} -> 404`,
		},
		"backups.import|record": {
			`member POST /backups/import_record {"backup-record": {"backup_service": "x", "backup_url": "eA=="}} -> 403 backup:backup-import`,
			`admin POST /backups/import_record {"backup-record": {"backup_service": "x", "backup_url": "{record}"}} -> 400 Invalid backup: Backup already exists in database.`,
			`admin POST /backups/import_record {"backup-record": {"backup_service": "x", "backup_url": "***"}} -> 400 Invalid input received: Can't decode backup record.`,
			`admin POST /backups/import_record {"backup-record": {"backup_service": "x", "backup_url": "eA=="}} -> 400 Invalid input received: Can't parse backup record.`,
			`admin POST /backups/import_record {"backup-record": {"backup_service": "x", "backup_url": "e30="}} -> 400 Invalid input received: Provided backup record is missing an id`,
			`admin POST /backups/import_record {"backup-record": {"backup_service": "x", "backup_url": "W10="}} -> 400 Invalid input received: Provided backup record is missing an id`,
			`admin POST /backups/import_record {"backup-record": {"backup_service": "x", "backup_url": "eyJpZCI6IjEifQ=="}} -> 400 Invalid input received: Provided backup record is missing size attribute`,
			`admin POST /backups/export_record {"backup-record": {"backup_service": "x", "backup_url": "eA=="}} -> 404`,
		},
		"backups.export|": {
			`admin GET /backups/{bakerror}/export_record -> 400 Invalid backup: Backup status must be available and not error.`,
			`member GET /backups/{backup}/export_record -> 403 backup:export-import`, `admin GET /backups/{backup}/export_record -> 200 cinder.backup.drivers.posix.PosixBackupDriver`,
		},
		"backup_actions.reset_status|": {
			`admin POST /backups/{backup}/action {"os-reset_status": {"status": "creating"}} -> 400 status`, `admin POST /backups/{backup}/action {"os-reset_status": {}} -> 400 status`,
			`member POST /backups/{backup}/action {"os-reset_status": {"status": "error"}} -> 403`, `admin POST /backups/{backup}/action {"os-reset_status": {"status": "ERROR"}} -> 202`, `member GET /backups/{backup} -> 200 "error"`,
		},
		// Every driver here can.
		"backup_actions.force_delete|": {`member POST /backups/{bakcreating}/action {"os-force_delete": {}} -> 403`, `admin POST /backups/{bakcreating}/action {"os-force_delete": {}} -> 202`, `member GET /backups/{bakcreating} -> 200 "deleting"`},
	})
	maps.Copy(operations, map[string]operation{
		"backups.create":              {"member", "POST", "/backups", create},
		"backups.update":              {"member", "PUT", "/backups/{backup}", `{"backup": {"name": "n"}}`},
		"backups.restore":             {"member", "POST", "/backups/{backup}/restore", `{"restore": {"name": "n"}}`},
		"backups.import":              {"admin", "POST", "/backups/import_record", `{"backup-record": {"backup_service": "x", "backup_url": "eA=="}}`},
		"backup_actions.reset_status": {"admin", "POST", "/backups/{backup}/action", `{"os-reset_status": {"status": "available"}}`},
		"backup_actions.force_delete": {"admin", "POST", "/backups/{backup}/action", `{"os-force_delete": null}`},
	})
	const lists = "backups.list, backups.detail|"
	maps.Copy(filterScripts, map[string][]string{
		lists + "filter|name, status": {
			"member@71 backups?name=of-a = a", "member@71 backups?status=error = b", "member@71 backups?volume_id={c} = c", "member@71 backups/detail?name=of-d = d", "member@30 backups?status=error = b", "member@30 backups?user_id=x = e d c b a",
			"member@71 backups?user_id=x = 400", "member@71 backups?size=3 = 400", "admin@71 backups?size=3 = c", "admin backups?container=of-c = c", "admin backups?parent_id={a} = b", "admin backups?num_dependent_backups=0 = e d c b a", "admin backups?availability_zone=zone2 = c",
			"admin@71 backups?metadata={'k':'v'} = b a", "admin@71 backups?metadata=x = 400", "admin backups?x=y = ", "admin@34 backups?name~=f-d = d", "member@34 backups?name~=f-d = 400", "admin backups?size=two = 400",
		},
		lists + "filter|all_tenants": {"admin backups?all_tenants=1 = o e d c b a", "admin backups?all_tenants=x = 400", "member backups?all_tenants=1 = e d c b a", "admin@71 backups?all_tenants=1&project_id=" + otherProject + " = o"},
		lists + "sort|name":          {"member@36 backups?sort=name = 400", "member@36 backups?sort=display_name:asc = a b c d e", "member@37 backups?sort=name:asc = a b c d e"},
		lists + "sort|id": {
			"member backups?sort=id = 200", "member backups?sort=status:asc = a c d e b", "member backups?sort=size:asc = a b c d e", "member backups?sort=container:desc = e d c b a", "member backups?sort=created_at:asc = a b c d e", "member backups?sort=num_dependent_backups:asc = a b c d e",
			"member backups?sort=parent_id:desc&limit=1 = b", "member backups?sort=volume_size = 400", "member backups?sort_key=size&sort_dir=asc&limit=1 = a",
		},
		lists + "links|": {"member backups?limit=2 = e d", "member backups/detail?limit=1&offset=1 = d", "member@45 backups?with_count=1&limit=1 = e", "member@44 backups?with_count=1 = 400"},
	})
	fieldsElsewhere = append(fieldsElsewhere, "backup.create", "backup.restore", "backup.export") // see TestBackupLife
}

func (w *world) sql(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Pool().Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

// backupService has the simulated node reach a store.
func (w *world) backupService() db.Service {
	w.t.Helper()
	s := db.Service{Host: "node1", Daemon: db.DaemonBackup, AvailabilityZone: "nova", Endpoint: "https://127.0.0.1:1",
		BackupDriver: "posix", BackupStore: "store-1", BackupContainer: "backups"}
	if _, err := w.db.Heartbeat(w.t.Context(), s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// backUp makes a backup and does what the scheduler would: it becomes available.
func (w *world) backUp(volumeID, more string) string {
	w.t.Helper()
	return w.backUpAs("member@71", volumeID, more)
}

func (w *world) backUpAs(persona, volumeID, more string) string {
	w.t.Helper()
	r := w.do(persona, "POST", "/v3/backups", `{"backup": {"volume_id": "`+volumeID+`", "name": "kept"`+more+`}}`).want(w.t, 202)
	id := r.at("backup", "id").(string)
	w.backedUp(id)
	return id
}

func (w *world) backedUp(id string) {
	w.t.Helper()
	b, err := w.db.Backup(w.t.Context(), id, "")
	if err == nil {
		_, err = w.db.BindBackup(w.t.Context(), b, w.backupService())
	}
	if err == nil {
		err = w.db.Tx(w.t.Context(), func(tx *db.Tx) error { return tx.FinishBackup(w.t.Context(), b, 3) })
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// shelveBackups puts one backup of each volume on the shelf, named of-<name>.
func (w *world) shelveBackups() {
	w.t.Helper()
	w.sql(`INSERT INTO backups (id, volume_id, project_id, user_id, name, size_gib, status, container, availability_zone, metadata, parent_id, data_timestamp, created_at, updated_at)
		SELECT gen_random_uuid(), id, project_id, user_id, 'of-' || name, size_gib, CASE WHEN name = 'b' THEN 'error' ELSE 'available' END, 'of-' || name, availability_zone,
			metadata, CASE WHEN name = 'b' THEN (SELECT id FROM volumes WHERE name = 'a') END, created_at, created_at, updated_at FROM volumes`)
}

func (w *world) backupPlaces() map[string]place {
	get := func(path string, way ...any) place { return place{method: "GET", path: "/v3" + path, way: way} }
	id := w.backUp(w.volume("member", ""), `, "metadata": {"a": "b"}`)
	w.sql("UPDATE backups SET encryption_key_id = $1 WHERE id = $2", uuid.NewString(), id)
	return map[string]place{
		"backup.summary":        get("/backups", "backups", 0),
		"backup.detail":         get("/backups/"+id, "backup"),
		"backups.list_envelope": get("/backups?limit=1"),
	}
}

func (w *world) backupViews() []viewCase {
	get := func(name, path string) viewCase { return viewCase{name, "GET", fixed(path), ""} }
	volume := w.volume("member", `, "name": "data"`)
	id := w.backUp(volume, `, "description": "of Monday", "container": "mine", "metadata": {"a": "b"}`)
	w.backUp(volume, `, "incremental": true`)
	w.sql("UPDATE backups SET encryption_key_id = $1 WHERE id = $2", missing, id)
	return []viewCase{
		get("backups.list", "/v3/backups"),
		get("backups.list-paged", "/v3/"+ownProject+"/backups?limit=1&with_count=true"),
		get("backups.detail", "/v3/backups/detail"),
		get("backups.show", "/v3/backups/"+id),
		{"backups.update", "PUT", fixed("/v3/backups/" + id), `{"backup": {"description": "of Tuesday"}}`},
	}
}
