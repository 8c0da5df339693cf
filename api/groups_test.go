package api

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"clinker/db"
)

// groupStatus gives a group's status, "" when it is gone.
func (w *world) groupStatus(id string) string {
	w.t.Helper()
	status, _ := w.do("admin@13", "GET", "/v3/groups/"+id, "").at("group", "status").(string)
	return status
}

func TestGroupLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group := w.group(w.groupType(`{"name": "plain"}`))
	volume := w.memberOf(group)
	if w.usage(ownProject) != "1 1 0 1" {
		t.Error(w.usage(ownProject))
	}
	if r := w.do("member@71", "GET", "/v3/os-quota-sets/"+ownProject+"?usage=true", ""); r.at("quota_set", "groups", "in_use") != 1.0 {
		t.Error(r.body)
	}
	snapshot := w.takeGroup(group)
	r := w.do("member@71", "GET", "/v3/snapshots/detail", "")
	if r.at("snapshots", 0, "group_snapshot_id") != snapshot || r.at("snapshots", 0, "name") != "kept" {
		t.Error(r.body)
	}
	copied := w.do("member@14", "POST", "/v3/groups/action", `{"create-from-src": {"group_snapshot_id": "`+snapshot+`"}}`).want(t, 202).at("group", "id").(string)
	r = w.do("member@71", "GET", "/v3/groups/"+copied+"?list_volume=true", "")
	members, _ := r.at("group", "volumes").([]any)
	if r.at("group", "status") != "creating" || r.at("group", "group_snapshot_id") != snapshot || len(members) != 1 {
		t.Fatal(r.body)
	}
	w.do("member@14", "DELETE", "/v3/group_snapshots/"+snapshot, "").want(t, 400) // it is being copied
	w.settle(members[0].(string))
	w.settleGroup(copied)
	w.do("member@14", "DELETE", "/v3/group_snapshots/"+snapshot, "").want(t, 202)
	w.do("member@13", "POST", "/v3/groups/"+copied+"/action", `{"delete": {"delete-volumes": true}}`).want(t, 202)
	if w.groupStatus(copied) != "deleting" {
		t.Error(w.groupStatus(copied))
	}
	w.do("member@13", "POST", "/v3/groups/"+copied+"/action", `{"delete": {"delete-volumes": true}}`).want(t, 202) // clients repeat
	if r := w.do("member", "GET", "/v3/volumes/"+members[0].(string), ""); r.at("volume", "status") != "deleting" {
		t.Error(r.body)
	}
	// Who leaves a group can be deleted.
	w.do("member@13", "PUT", "/v3/groups/"+group, `{"group": {"remove_volumes": "`+volume+`"}}`).want(t, 202)
	w.do("member@13", "GET", "/v3/volumes/"+volume, "").want(t, 200)
	w.usage(ownProject)
}

// A group that could not be copied leaves nothing.
func TestGroupCopyIsAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group := w.group(w.groupType(`{"name": "plain"}`))
	w.memberOf(group)
	w.memberOf(group)
	w.do("admin", "PUT", "/v3/os-quota-sets/"+ownProject, `{"quota_set": {"volumes": 3}}`).want(t, 200)
	before := w.usage(ownProject)
	r := w.do("member@14", "POST", "/v3/groups/action", `{"create-from-src": {"source_group_id": "`+group+`"}}`).want(t, 400)
	if r.message() != "Maximum number of volumes allowed (3) exceeded for quota 'volumes'." {
		t.Error(r.message())
	}
	if groups := w.do("member@13", "GET", "/v3/groups", "").names("groups", "id"); groups != group || w.usage(ownProject) != before {
		t.Error(groups, w.usage(ownProject), before)
	}
	// Nor a snapshot of a group of which one volume does not allow it.
	w.do("admin", "PUT", "/v3/os-quota-sets/"+ownProject, `{"quota_set": {"snapshots": 1}}`).want(t, 200)
	w.do("member@14", "POST", "/v3/group_snapshots", `{"group_snapshot": {"group_id": "`+group+`"}}`).want(t, 413)
	if r := w.do("member@14", "GET", "/v3/group_snapshots", ""); len(r.at("group_snapshots").([]any)) != 0 || w.usage(ownProject) != before {
		t.Error(r.body, w.usage(ownProject))
	}
}

// A group that cannot be placed can be renamed and deleted, and takes no volumes.
func TestGroupInError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group := w.script().fill("{unplaced}")
	w.do("admin@20", "POST", "/v3/groups/"+group+"/action", `{"reset_status": {"status": "ERROR"}}`).want(t, 202)
	w.do("member@13", "PUT", "/v3/groups/"+group, `{"group": {"name": "new"}}`).want(t, 202)
	w.do("member@14", "POST", "/v3/groups/action", `{"create-from-src": {"source_group_id": "`+group+`"}}`).want(t, 400)
	if w.groupStatus(group) != "error" {
		t.Error(w.groupStatus(group))
	}
	w.do("member@13", "POST", "/v3/groups/"+group+"/action", `{"delete": {}}`).want(t, 202)
	if w.groupStatus(group) != "" || w.usage(ownProject) != "0 0 0 0" {
		t.Error(w.groupStatus(group))
	}
	placed := w.group(w.groupType(`{"name": "other"}`))
	w.do("admin@20", "POST", "/v3/groups/"+placed+"/action", `{"reset_status": {"status": "error"}}`).want(t, 202)
	w.do("member@13", "PUT", "/v3/groups/"+placed, `{"group": {"description": "new"}}`).want(t, 202)
	if w.groupStatus(placed) != "available" {
		t.Error("a change of its texts makes it available, as in Cinder", w.groupStatus(placed))
	}
}

// Of many groups that want a volume at once, one gets it; and what is made in a
// group while it is deleted is either refused or deleted with it.
func TestGroupRaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	kind := w.groupType(`{"name": "plain"}`)
	var groups []string
	for range 4 {
		groups = append(groups, w.group(kind))
	}
	volume := w.volume("member", "")
	var mu sync.Mutex
	answers := map[string]int{}
	note := func(what string, r response) {
		mu.Lock()
		defer mu.Unlock()
		answers[fmt.Sprintf("%s %d", what, r.status)]++
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			note("add", w.do("member@13", "PUT", "/v3/groups/"+groups[i%4], `{"group": {"add_volumes": "`+volume+`", "name": "`+itoa(i)+`"}}`))
		})
	}
	wg.Wait()
	var in string
	if err := w.db.Pool().QueryRow(t.Context(), "SELECT group_id::text FROM volumes WHERE id = $1", volume).Scan(&in); err != nil {
		t.Fatal(err)
	}
	if answers["add 202"] == 0 || answers["add 202"]+answers["add 400"] != 20 {
		t.Error(answers)
	}
	for i := range 20 {
		wg.Go(func() {
			if i == 10 {
				note("delete", w.do("member@13", "POST", "/v3/groups/"+in+"/action", `{"delete": {"delete-volumes": true}}`))
				return
			}
			note("create", w.do("member@13", "POST", "/v3/volumes", `{"volume": {"size": 1, "volume_type": "__DEFAULT__", "group_id": "`+in+`"}}`))
		})
	}
	wg.Wait()
	if answers["delete 202"] != 1 || answers["create 202"]+answers["create 400"]+answers["create 404"] != 19 {
		t.Error(answers)
	}
	var left string
	err := w.db.Pool().QueryRow(t.Context(), "SELECT COALESCE(string_agg(status, ' '), '') FROM volumes WHERE group_id = $1 AND deleted_at IS NULL AND status <> 'deleting'", in).Scan(&left)
	if err != nil || left != "" {
		t.Error(left, err, answers)
	}
	w.usage(ownProject)
}

// What another project has is not put into a group, whoever asks.
func TestGroupsKeepProjectsApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kind := w.groupType(`{"name": "plain"}`)
	group := w.do("other@13", "POST", "/v3/groups", `{"group": {"group_type": "`+kind+`", "volume_types": ["__DEFAULT__"]}}`).want(t, 202).at("group", "id").(string)
	w.settleGroup(group)
	r := w.do("admin@13", "POST", "/v3/volumes", `{"volume": {"size": 1, "volume_type": "__DEFAULT__", "group_id": "`+group+`"}}`).want(t, 400)
	if !strings.Contains(r.message(), "belong to different projects") {
		t.Error(r.body)
	}
	for _, request := range []string{"GET /v3/groups/" + group, "PUT /v3/groups/" + group} {
		method, path, _ := strings.Cut(request, " ")
		body := ""
		if method == "PUT" {
			body = `{"group": {"name": "x"}}`
		}
		w.do("member@13", method, path, body).want(t, 404)
	}
	w.do("member@14", "POST", "/v3/group_snapshots", `{"group_snapshot": {"group_id": "`+group+`"}}`).want(t, 404)
}
