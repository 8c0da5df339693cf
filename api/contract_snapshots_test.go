package api

import (
	"maps"
	"strings"
)

// What the contract's tables say of snapshots; see contract_test.go.
func init() {
	maps.Copy(errorScripts, map[string][]string{
		"snapshots.show|": {`other GET /snapshots/{snapshot} -> 404 Snapshot {snapshot} could not be found.`, `admin GET /snapshots/{snapshot} -> 200`,
			`member GET /snapshots/x -> 404 Snapshot x could not be found.`, `other DELETE /snapshots/{snapshot} -> 404`},
		"snapshots.create|snapshot count": {
			`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"snapshots": 0}} -> 200`,
			`member POST /snapshots {"snapshot": {"volume_id": "{free}"}} -> 413 SnapshotLimitExceeded: Maximum number of snapshots allowed (0) exceeded`,
			`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"snapshots": -1, "gigabytes": 1}} -> 200`,
			`member POST /snapshots {"snapshot": {"volume_id": "{free}"}} -> 413 VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota.`,
			`admin DELETE /os-quota-sets/` + ownProject + ` -> 200`,
		},
		"snapshots.create|volume not": {
			`member POST /snapshots {"snapshot": {"volume_id": "{used}"}} -> 400 Invalid volume: Volume {used} status must be available, but current status is: in-use.`,
			`member@65 POST /snapshots {"snapshot": {"volume_id": "{used}", "force": "no"}} -> 400 Invalid volume`,
			`member POST /snapshots {"snapshot": {"volume_id": "{used}", "force": true}} -> 202 "creating"`,
			`member@66 POST /snapshots {"snapshot": {"volume_id": "{used}"}} -> 202`,
			`member@66 POST /snapshots {"snapshot": {"volume_id": "{error}"}} -> 400 status must be available, in-use`,
			`member POST /snapshots {"snapshot": {"volume_id": "{maintenance}"}} -> 400 maintenance mode`,
		},
		"snapshots.create|force false": {
			`member@66 POST /snapshots {"snapshot": {"volume_id": "{free}", "force": false}} -> 400 Since microversion 3.66 the 'force' flag is invalid`,
			`member@66 POST /snapshots {"snapshot": {"volume_id": "{free}", "force": "on"}} -> 202`,
		},
		"snapshots.create|volume unknown": {
			`member POST /snapshots {"snapshot": {"volume_id": null}} -> 404 Volume None could not be found.`,
			`member POST /snapshots {"snapshot": {"volume_id": "{missing}"}} -> 404 Volume {missing} could not be found.`,
			`member POST /snapshots {"snapshot": {"volume_id": "{foreign}"}} -> 404`,
			`reader POST /snapshots {"snapshot": {"volume_id": "{free}"}} -> 403 volume:create_snapshot`,
		},
		"snapshots.create|display_description": {`member POST /snapshots {"snapshot": {"volume_id": "{free}", "display_description": "x"}} -> 400 ('display_description' was unexpected)`},
		"snapshots.delete|": {
			`member DELETE /snapshots/{snapcreating} -> 400 Invalid snapshot: Snapshot status must be available or error and must not be part of a group.`,
			`member DELETE /snapshots/{snapdeleting} -> 400`, `member DELETE /snapshots/{snapgrouped} -> 400 must not be part of a group.`,
			`admin POST /snapshots/{snapgrouped}/action {"os-force_delete": null} -> 400 must not be part of a group.`,
			`reader DELETE /snapshots/{snapshot} -> 403 volume:delete_snapshot`,
			`member DELETE /snapshots/{snapshot} -> 202`, `member DELETE /snapshots/{snaperror} -> 202`, `member GET /snapshots/{snaperror} -> 200 "deleting"`,
		},
		"snapshot_actions.update_snapshot_status|": {
			`member POST /snapshots/{snapshot}/action {"os-update_snapshot_status": {"status": "available"}} -> 400 Snapshot status available not allowed`,
			`member POST /snapshots/{snapcreating}/action {"os-update_snapshot_status": {"status": "deleting"}} -> 400 Provided snapshot status deleting not allowed for snapshot with status creating.`,
			`member POST /snapshots/{snapcreating}/action {"os-update_snapshot_status": {"status": "creating", "progress": "x%"}} -> 400 progress`,
			`member POST /snapshots/{snapcreating}/action {"os-update_snapshot_status": {"status": "creating", "progress": "101%"}} -> 400 progress`,
			`member POST /snapshots/{snapcreating}/action {"os-update_snapshot_status": {"status": "creating", "progress": "73%"}} -> 202`,
			`member GET /snapshots/{snapcreating} -> 200 "os-extended-snapshot-attributes:progress":"73%"`,
			`member POST /snapshots/{snapcreating}/action {"os-update_snapshot_status": {"status": "error"}} -> 202`,
			`member POST /snapshots/{snapdeleting}/action {"os-update_snapshot_status": {"status": "error_deleting", "progress": null}} -> 202`,
			`other POST /snapshots/{snapshot}/action {"os-update_snapshot_status": {"status": "error"}} -> 404`,
		},
		"volume_actions.revert|snapshot is": {
			`member@40 POST /volumes/{free}/action {"revert": {"snapshot_id": "{missing}"}} -> 400 Volume {free} doesn't have any snapshots.`,
			`member@40 POST /volumes/{snapped}/action {"revert": {"snapshot_id": "{older}"}} -> 202`,
			`admin POST /volumes/{snapped}/action {"os-reset_status": {"status": "available"}} -> 202`,
			`member@40 POST /volumes/{snapped}/action {"revert": {"snapshot_id": "{snapshot}"}} -> 202`,
			`admin POST /volumes/{snapped}/action {"os-reset_status": {"status": "available"}} -> 202`,
			`member@40 POST /volumes/{snapped}/action {"revert": {"snapshot_id": "{older}"}} -> 400 Specified snapshot {older} is None or not the latest one of volume {snapped}.`,
			`member@40 POST /volumes/{snapped}/action {"revert": {"snapshot_id": null}} -> 400 Specified snapshot None is None or not`,
			`member@40 POST /volumes/{snapped}/action {"revert": {}} -> 400`, `member@39 POST /volumes/{snapped}/action {"revert": {}} -> 404`,
			`reader@40 POST /volumes/{snapped}/action {"revert": {}} -> 403 volume:revert_to_snapshot`,
		},
		"volume_actions.revert|volume or": {
			`admin POST /snapshots/{snapshot}/action {"os-reset_status": {"status": "ERROR"}} -> 202`,
			`member@40 POST /volumes/{snapped}/action {"revert": {"snapshot_id": "{snapshot}"}} -> 409 Invalid snapshot: Can't revert volume {snapped} to its latest snapshot {snapshot}. Snapshot's status must be 'available'.`,
			`admin POST /snapshots/{snapshot}/action {"os-reset_status": {"status": "available"}} -> 202`,
			`member@40 POST /volumes/{snapped}/action {"revert": {"snapshot_id": "{snapshot}"}} -> 202`,
			`member GET /volumes/{snapped} -> 200 "reverting"`, `member GET /snapshots/{snapshot} -> 200 "restoring"`,
			`member@40 POST /volumes/{snapped}/action {"revert": {"snapshot_id": "{snapshot}"}} -> 409 Invalid volume: Can't revert volume {snapped} to its latest snapshot {snapshot}. Volume's status must be 'available'.`,
			`member DELETE /snapshots/{snapshot} -> 400`, `member POST /snapshots {"snapshot": {"volume_id": "{snapped}"}} -> 400`,
		},
	})
	maps.Copy(operations, map[string]operation{
		"snapshots.create":                        {"member", "POST", "/snapshots", `{"snapshot": {"volume_id": "{free}"}}`},
		"snapshots.update":                        {"member", "PUT", "/snapshots/{snapshot}", `{"snapshot": {"name": "n"}}`},
		"snapshot_metadata.create":                {"member", "POST", "/snapshots/{snapshot}/metadata", `{"metadata": {"a": "b"}}`},
		"snapshot_metadata.replace":               {"member", "PUT", "/snapshots/{snapshot}/metadata", `{"metadata": {"a": "b"}}`},
		"snapshot_metadata.set":                   {"member", "PUT", "/snapshots/{snapshot}/metadata/a", `{"meta": {"a": "b"}}`},
		"snapshot_actions.reset_status":           {"admin", "POST", "/snapshots/{snapshot}/action", `{"os-reset_status": {"status": "available"}}`},
		"snapshot_actions.force_delete":           {"admin", "POST", "/snapshots/{snapshot}/action", `{"os-force_delete": null}`},
		"snapshot_actions.update_snapshot_status": {"member", "POST", "/snapshots/{snapshot}/action", `{"os-update_snapshot_status": {"status": "available"}}`},
		"volume_actions.revert":                   {"member", "POST", "/volumes/{free}/action", `{"revert": {"snapshot_id": "x"}}`},
	})
	const lists = "snapshots.list, snapshots.detail|"
	maps.Copy(filterScripts, map[string][]string{
		lists + "filter|name, status": {
			"member@71 snapshots?name=of-a = a", "member@71 snapshots?status=error = b", "member@71 snapshots?volume_id={c} = c", "member@71 snapshots?metadata={'k':'v'} = b a",
			"member@71 snapshots?availability_zone=zone2 = c", "member@71 snapshots?consumes_quota=false = c", "member@71 snapshots?user_id=x = 400",
			"member@30 snapshots?status=error = b", "member@30 snapshots?availability_zone=zone2 = e d c b a", "member@30 snapshots/detail?name=of-d = d", "member@30 snapshots?user_id=x = e d c b a",
		},
		lists + "filter|metadata":          {"member@21 snapshots?metadata={'x':'y'} = e d c b a", "member@22 snapshots?metadata={'x':'y'} = a", "member@22 snapshots?metadata=x = 400"},
		lists + "filter|availability_zone": {"admin snapshots?availability_zone=zone2 = c", "admin snapshots?host=node2 = d", "admin snapshots/detail?host=node2@lvm%23pool = d", "admin snapshots?cluster_name=x = ", "admin@34 snapshots?host~=node2 = d"},
		lists + "filter|consumes_quota":    {"member@64 snapshots?consumes_quota=false = e d c b a", "member@65 snapshots?consumes_quota=no = c", "member@65 snapshots?consumes_quota=x = 400"},
		lists + "sort|name":                {"member@29 snapshots?sort=name = 400", "member@29 snapshots?sort=display_name:asc = a b c d e", "member@30 snapshots?sort=name:asc = a b c d e"},
		lists + "sort|id": {
			"member snapshots?sort=id = 200", "member snapshots?sort=status:asc = a c d b e", "member snapshots?sort=volume_size:asc = a b c d e", "member snapshots?sort=created_at:asc = a b c d e",
			"member snapshots?sort=updated_at&limit=2 = e d", "member snapshots?sort=size = 400", "member snapshots?sort_key=volume_size&sort_dir=asc&limit=1 = a",
		},
		lists + "links|": {"member snapshots?limit=2 = e d", "admin snapshots?all_tenants=1&limit=1 = o", "admin@71 snapshots?all_tenants=1&project_id=" + otherProject + " = o"},
	})
}

// shelveSnapshots puts one snapshot of each volume on the shelf, named of-<name>.
func (w *world) shelveSnapshots() {
	w.t.Helper()
	_, err := w.db.Pool().Exec(w.t.Context(), `INSERT INTO snapshots (id, volume_id, project_id, user_id, name, size_gib, quota_gib, status,
			volume_type_id, metadata, consumes_quota, created_at, updated_at)
		SELECT gen_random_uuid(), id, project_id, user_id, 'of-' || name, size_gib, size_gib, status,
			volume_type_id, metadata, consumes_quota, created_at, updated_at FROM volumes`)
	if err != nil {
		w.t.Fatal(err)
	}
}

// take makes a snapshot and does what the scheduler would: it becomes available.
func (w *world) take(volumeID string) string {
	w.t.Helper()
	r := w.do("member@66", "POST", "/v3/snapshots", `{"snapshot": {"volume_id": "`+volumeID+`", "name": "kept", "metadata": {"a": "1"}}}`).want(w.t, 202)
	id := r.at("snapshot", "id").(string)
	s, err := w.db.Snapshot(w.t.Context(), id, "")
	if err == nil {
		_, err = w.db.ClaimSnapshot(w.t.Context(), s)
	}
	if err == nil {
		err = w.db.FinishSnapshot(w.t.Context(), s)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// makeSnapshot makes what a script's word for a snapshot stands for: the newest
// or an older one of the volume snapped, or one of its own in a status.
func (s *script) makeSnapshot(word string) (id string, known bool) {
	switch word {
	case "snapped":
		return s.volume("member", ""), true
	case "older", "snapshot":
		return s.take(s.fill("{snapped}")), true
	}
	status, known := strings.CutPrefix(word, "snap")
	if !known {
		return "", false
	}
	id = s.take(s.volume("member", ""))
	column, value := "status", status
	if status == "grouped" {
		column, value = "group_snapshot_id", missing
	}
	if _, err := s.db.Pool().Exec(s.t.Context(), "UPDATE snapshots SET "+column+" = $1 WHERE id = $2", value, id); err != nil {
		s.t.Fatal(err)
	}
	return id, true
}

func (w *world) snapshotPlaces(volumeID string) map[string]place {
	get := func(path string, way ...any) place { return place{method: "GET", path: "/v3" + path, way: way} }
	id := w.take(volumeID)
	return map[string]place{
		"snapshot.summary":        get("/snapshots", "snapshots", 0),
		"snapshot.detail":         get("/snapshots/"+id, "snapshot"),
		"snapshots.list_envelope": get("/snapshots?limit=1"),
	}
}

func (w *world) snapshotViews(volumeID string) []viewCase {
	get := func(name, path string) viewCase { return viewCase{name, "GET", fixed(path), ""} }
	id := w.take(volumeID)
	return []viewCase{
		get("snapshots.list", "/v3/snapshots"),
		get("snapshots.list-paged", "/v3/"+ownProject+"/snapshots?limit=1&with_count=true"),
		get("snapshots.detail", "/v3/snapshots/detail?limit=1"),
		get("snapshots.show", "/v3/snapshots/"+id),
		{"snapshots.update", "PUT", fixed("/v3/snapshots/" + id), `{"snapshot": {"description": "of Monday"}}`},
		get("snapshot_metadata.list", "/v3/snapshots/"+id+"/metadata"),
	}
}
