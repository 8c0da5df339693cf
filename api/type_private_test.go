package api

import "testing"

// A private type is used by the projects that were given it and by nobody else:
// neither by what another project passes on, nor by copies of what a project has
// from the time when it might.
func TestPrivateTypeIsNotPassedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kind := w.do("admin", "POST", "/v3/types", `{"volume_type": {"name": "private", "os-volume-type-access:is_public": false}}`).want(t, 200).at("volume_type", "id").(string)
	access := func(action, project string) {
		t.Helper()
		w.do("admin", "POST", "/v3/types/"+kind+"/action", `{"`+action+`": {"project": "`+project+`"}}`).want(t, 202)
	}
	access("addProjectAccess", ownProject)
	volume := w.volume("member", `, "volume_type": "private"`)
	snapshot := w.take(volume)
	group := w.do("member@13", "POST", "/v3/groups", `{"group": {"group_type": "`+w.groupType(`{"name": "plain"}`)+`", "volume_types": ["private"]}}`).want(t, 202).at("group", "id").(string)
	w.settleGroup(group)
	w.settle(w.do("member@13", "POST", "/v3/volumes", `{"volume": {"size": 1, "volume_type": "private", "group_id": "`+group+`"}}`).want(t, 202).at("volume", "id").(string))

	transfer, key := w.offer(volume, "")
	if r := w.accept("other", transfer, key).want(t, 404); r.message() != "Volume type "+kind+" could not be found." {
		t.Error(r.body)
	}
	w.do("member", "DELETE", "/v3/volume-transfers/"+transfer, "").want(t, 202)

	copies := map[string]string{
		"/v3/volumes?of=a-volume":   `{"volume": {"source_volid": "` + volume + `"}}`,
		"/v3/volumes?of=a-snapshot": `{"volume": {"snapshot_id": "` + snapshot + `"}}`,
		"/v3/groups/action":         `{"create-from-src": {"source_group_id": "` + group + `"}}`,
	}
	for path, body := range copies {
		w.do("member@14", "POST", path, body).want(t, 202)
	}
	access("removeProjectAccess", ownProject)
	for path, body := range copies {
		w.do("member@14", "POST", path, body).want(t, 404)
		w.do("admin@14", "POST", path, body).want(t, 202)
	}

	access("addProjectAccess", otherProject)
	transfer, key = w.offer(volume, "")
	w.accept("other", transfer, key).want(t, 202)
}
