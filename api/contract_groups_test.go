package api

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"clinker/db"
)

// What the contract's tables say of groups and group snapshots, and of their
// older face; see contract_test.go.
func init() {
	maps.Copy(moreWords, map[string]func(*script) string{
		"group": func(s *script) string { return s.group(s.fill("{grouptype}")) },
		"empty": func(s *script) string { return s.group(s.fill("{grouptype}")) },
		"unplaced": func(s *script) string {
			return s.do("member@13", "POST", "/v3/groups", `{"group": {"group_type": "`+s.fill("{grouptype}")+`", "volume_types": ["__DEFAULT__"]}}`).want(s.t, 202).at("group", "id").(string)
		},
		"member":        func(s *script) string { return s.memberOf(s.fill("{group}")) },
		"groupsnapshot": func(s *script) string { s.fill("{member}"); return s.takeGroup(s.fill("{group}")) },
		"groupsnapmember": func(s *script) string {
			members, err := s.db.SnapshotsOfGroupSnapshot(s.t.Context(), s.fill("{groupsnapshot}"))
			if err != nil || len(members) == 0 {
				s.t.Fatal(members, err)
			}
			return members[0].ID
		},
		"cg":         func(s *script) string { return s.consistencyGroup() },
		"cgmember":   func(s *script) string { return s.memberOf(s.fill("{cg}")) },
		"cgsnapshot": func(s *script) string { s.fill("{cgmember}"); return s.takeCG(s.fill("{cg}")) },
		"replicated": func(s *script) string {
			kind := s.groupType(fmt.Sprintf(`{"name": "replicated-%d", "group_specs": {"group_replication_enabled": "<is> True"}}`, s.next()))
			return s.group(kind)
		},
	})
	const create = `{"group": {"group_type": "{grouptype}", "volume_types": ["__DEFAULT__"]}}`
	const createCG = `{"consistencygroup": {"volume_types": "__DEFAULT__"}}`
	maps.Copy(errorScripts, map[string][]string{
		"groups.create|group count": {
			`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"groups": 0}} -> 200`,
			`member@13 POST /groups ` + create + ` -> 413 GroupLimitExceeded: Maximum number of groups allowed (0) exceeded`,
			`member POST /consistencygroups ` + createCG + ` -> 413 GroupLimitExceeded`,
			`admin DELETE /os-quota-sets/` + ownProject + ` -> 200`,
		},
		"group_actions.create_from_src|volume quota": {
			`member GET /volumes/{member} -> 200`, `member@14 GET /group_snapshots/{groupsnapshot} -> 200`,
			`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"volumes": 0}} -> 200`,
			`member@14 POST /groups/action {"create-from-src": {"source_group_id": "{group}"}} -> 400 Maximum number of volumes allowed (0) exceeded`,
			`member@14 POST /groups/action {"create-from-src": {"group_snapshot_id": "{groupsnapshot}"}} -> 400 Maximum number of volumes allowed (0) exceeded`,
			`admin DELETE /os-quota-sets/` + ownProject + ` -> 200`,
			`member@14 POST /groups/action {"create-from-src": {"source_group_id": "{group}", "group_snapshot_id": "{groupsnapshot}"}} -> 400 exactly one of`,
			`member@14 POST /groups/action {"create-from-src": {}} -> 400 exactly one of`,
			`member@14 POST /groups/action {"create-from-src": {"source_group_id": "{missing}"}} -> 404 Group {missing} could not be found.`,
			`member@14 POST /groups/action {"create-from-src": {"group_snapshot_id": "{missing}"}} -> 404 GroupSnapshot {missing} could not be found.`,
			`member@14 POST /groups/action {"create-from-src": {"source_group_id": "{empty}"}} -> 400 Source Group is empty. No group will be created.`,
			`other@14 POST /groups/action {"create-from-src": {"source_group_id": "{group}"}} -> 404`,
			`member@14 POST /groups/action {"create-from-src": {"source_group_id": "{cg}"}} -> 400 is reserved for migrating CGs to groups.`,
			`member@13 POST /groups/action {"create-from-src": {"source_group_id": "{group}"}} -> 404`,
			`member@14 POST /groups/action {"create-from-src": {"source_group_id": "{group}", "name": "copy"}} -> 202 "name":"copy"`,
			`member@14 POST /groups/action {"create-from-src": {"group_snapshot_id": "{groupsnapshot}"}} -> 202`,
			`member@14 DELETE /group_snapshots/{groupsnapshot} -> 400 no Group can be currently using it as source for its creation.`,
			`member@13 POST /groups/{group}/action {"delete": {"delete-volumes": true}} -> 400 Invalid Group: Group has existing snapshots.`,
		},
		"volumes.create|group_id": {
			`member@13 POST /volumes {"volume": {"size": 1, "group_id": "{group}"}} -> 400 volume_type must be provided when creating a volume in a group.`,
			`member@13 POST /volumes {"volume": {"size": 1, "group_id": "{group}", "volume_type": "{type}"}} -> 400 (requested type must be supported by this group).`,
			`member@13 POST /volumes {"volume": {"size": 1, "group_id": "{missing}", "volume_type": "__DEFAULT__"}} -> 404 Group {missing} could not be found.`,
			`other@13 POST /volumes {"volume": {"size": 1, "group_id": "{group}", "volume_type": "__DEFAULT__"}} -> 404`,
			`member@13 POST /volumes {"volume": {"size": 1, "group_id": "{unplaced}", "volume_type": "__DEFAULT__"}} -> 400 Invalid Group: Originating group status must be one of 'available' values`,
			`member@13 POST /volumes {"volume": {"size": 1, "group_id": "{group}", "volume_type": "__DEFAULT__"}} -> 202 "group_id":"{group}"`,
			`member POST /volumes {"volume": {"size": 1, "consistencygroup_id": "{cg}", "volume_type": "__DEFAULT__"}} -> 202 "consistencygroup_id":"{cg}"`,
			`member@12 POST /volumes {"volume": {"size": 1, "group_id": "{missing}", "volume_type": "__DEFAULT__"}} -> 404 Group {missing} could not be found.`,
			`member DELETE /volumes/{member} -> 400 belong to a group`, `member POST /volume-transfers {"transfer": {"volume_id": "{member}"}} -> 400 must not be part of a group.`,
			`member@13 GET /volumes/{cgmember} -> 200 "consistencygroup_id":"{cg}"`, `member@13 GET /volumes/{member} -> 200 "consistencygroup_id":null`,
			`admin DELETE /types/{default} -> 400`,
		},
		"group_types.delete|": {
			`member@13 GET /groups/{group} -> 200`, `admin@11 DELETE /group_types/{grouptype} -> 400 Target group type is still in use.`,
		},
		"groups.create|unknown type": {
			`member@13 POST /groups {"group": {"group_type": "no", "volume_types": ["__DEFAULT__"]}} -> 404 Group type with name no could not be found.`,
			`member@13 POST /groups {"group": {"group_type": "{missing}", "volume_types": ["__DEFAULT__"]}} -> 404 Group type {missing} could not be found.`,
			`member@13 POST /groups {"group": {"group_type": "{grouptype}", "volume_types": ["no"]}} -> 404 no could not be found.`,
			`member@13 POST /groups {"group": {"group_type": "{privategrouptype}", "volume_types": ["__DEFAULT__"]}} -> 404`,
			`member@13 POST /groups {"group": {"group_type": "default_cgsnapshot_type", "volume_types": ["__DEFAULT__"]}} -> 400 Migrated group can only be operated by CG APIs.`,
			`member@13 POST /groups {"group": {"group_type": "{grouptypename}", "volume_types": ["__DEFAULT__"], "availability_zone": "mars"}} -> 400 Availability zone 'mars' is invalid.`,
			`member@13 POST /groups {"group": {"group_type": " {grouptypename} ", "volume_types": ["{default}"], "availability_zone": "nova", "name": " n "}} -> 202 "name":"n"`,
			`reader@13 POST /groups ` + create + ` -> 403 group:create`, `member@12 POST /groups ` + create + ` -> 404`,
			`member POST /consistencygroups {"consistencygroup": {"volume_types": "no"}} -> 404`,
			`member POST /consistencygroups {"consistencygroup": {"volume_types": ""}} -> 400 volume_types must be provided to create consistency group`,
			`member POST /consistencygroups {"consistencygroup": {"volume_types": "__DEFAULT__,{type},", "name": "c", "x": 1}} -> 202 "name":"c"`,
			`admin DELETE /types/{type} -> 400 Target volume type is still in use.`,
		},
		"groups.show|group belongs": {
			`member@13 GET /groups/{cg} -> 400 is reserved for migrating CGs to groups. Migrated group can only be operated by CG APIs.`,
			`member@13 PUT /groups/{cg} {"group": {"name": "x"}} -> 400 reserved`, `member@13 POST /groups/{cg}/action {"delete": {}} -> 400 reserved`,
			`member@14 POST /group_snapshots {"group_snapshot": {"group_id": "{cg}"}} -> 400 Migrated group snapshots can only be operated by CG snapshot APIs.`,
			`member@14 GET /group_snapshots/{cgsnapshot} -> 400 Migrated group snapshots`, `member@14 DELETE /group_snapshots/{cgsnapshot} -> 400 reserved`,
			`member GET /consistencygroups/{group} -> 404 Group {group} could not be found.`, `member GET /cgsnapshots/{groupsnapshot} -> 404`, `other GET /consistencygroups/{cg} -> 404`,
			`member GET /consistencygroups/{cg} -> 200 "status":"available"`, `member GET /cgsnapshots/{cgsnapshot} -> 200 "consistencygroup_id":"{cg}"`,
			`member PUT /consistencygroups/{cg} {"consistencygroup": {"name": ""}} -> 400 can not be all empty in the request body.`,
			`member@6 PUT /consistencygroups/{cg} {"consistencygroup": {}} -> 400 Must specify one or more of the following keys to update`,
			`member PUT /consistencygroups/{cg}/update {"consistencygroup": {"name": "new", "remove_volumes": "{cgmember}"}} -> 202`,
			`member@6 PUT /consistencygroups/{cg} {"consistencygroup": {"name": "", "add_volumes": ",{cgmember}"}} -> 202`,
			`member POST /consistencygroups/create_from_src {"consistencygroup-from-src": {}} -> 400 Either 'cgsnapshot_id' or 'source_cgid' must be provided`,
			`member POST /consistencygroups/create_from_src {"consistencygroup-from-src": {"cgsnapshot_id": "x", "source_cgid": "y"}} -> 400 Cannot provide both`,
			`member POST /consistencygroups/create_from_src {"consistencygroup-from-src": {"source_cgid": "{group}"}} -> 404`,
			`member POST /consistencygroups/create_from_src {"consistencygroup-from-src": {"cgsnapshot_id": "{cgsnapshot}", "source_cgid": null, "name": "copy"}} -> 202 {"consistencygroup":{"id":`,
			`member POST /consistencygroups/{cg}/delete null -> 400 Group has existing snapshots.`, `member POST /consistencygroups/{cg}/delete {} -> 400 Group has existing snapshots.`,
			`member POST /cgsnapshots {"cgsnapshot": {"consistencygroup_id": "{group}"}} -> 404`, `member PUT /consistencygroups/{cg} {"consistencygroup": {"remove_volumes": "{cgmember}"}} -> 202`,
			`member POST /cgsnapshots {"cgsnapshot": {"consistencygroup_id": "{cg}"}} -> 400 Source group cannot be empty or in 'creating' or 'updating' state.`,
			`member PUT /consistencygroups/{cg} {"consistencygroup": {"add_volumes": "{cgmember}"}} -> 202`,
			`member POST /cgsnapshots {"cgsnapshot": {"consistencygroup_id": "{cg}", "name": "` + strings.Repeat("n", 256) + `"}} -> 400 name`,
			`member POST /cgsnapshots {"cgsnapshot": {"consistencygroup_id": "{cg}", "description": "` + strings.Repeat("d", 256) + `"}} -> 400 description`, `member POST /cgsnapshots {"cgsnapshot": {"consistencygroup_id": "{cg}", "name": null}} -> 202 {"cgsnapshot":{"id":`,
		},
		"group_actions.delete|has volumes": {
			`member@13 GET /volumes/{member} -> 200`,
			`member@13 POST /groups/{group}/action {"delete": {}} -> 400 Invalid Group: Group {group} still contains volumes. The delete-volumes flag is required to delete it.`,
			`member@14 POST /group_snapshots {"group_snapshot": {"group_id": "{empty}"}} -> 400 Invalid Group: Source group cannot be empty or in 'creating' or 'updating' state. No group snapshot will be created.`,
			`admin@20 POST /groups/{group}/action {"reset_status": {"status": "Updating"}} -> 202`,
			`member@13 POST /groups/{group}/action {"delete": {}} -> 400 Invalid Group: Group status must be available or error, but current status is: updating`,
			`member@14 POST /group_snapshots {"group_snapshot": {"group_id": "{group}"}} -> 400 Source group cannot be empty or in 'creating' or 'updating' state.`,
			`admin@20 POST /groups/{group}/action {"reset_status": {"status": "available"}} -> 202`, `admin@19 POST /groups/{group}/action {"reset_status": {"status": "available"}} -> 404`,
			`member@20 POST /groups/{group}/action {"reset_status": {"status": "available"}} -> 403 group:reset_status`,
			`member@14 GET /group_snapshots/{groupsnapshot} -> 200`, `member@13 POST /groups/{group}/action {"delete": {"delete-volumes": "yes"}} -> 400 Group has existing snapshots.`,
			`member DELETE /snapshots/{groupsnapmember} -> 400 must not be part of a group.`,
			`admin@19 POST /group_snapshots/{groupsnapshot}/action {"reset_status": {"status": "updating"}} -> 202`,
			`member@14 DELETE /group_snapshots/{groupsnapshot} -> 400 Invalid GroupSnapshot: GroupSnapshot status must be available or error`,
			`member@13 PUT /groups/{group} {"group": {"add_volumes": "{free}", "remove_volumes": "{free}"}} -> 400 UUIDs ['{free}'] are in both add and remove volume list.`,
			`member@13 PUT /groups/{group} {"group": {"add_volumes": "{member}"}} -> 400 Cannot update group {group} because no valid name, description, add_volumes, or remove_volumes were provided.`,
			`member@13 PUT /groups/{group} {"group": {}} -> 400 group`,
			`member@13 PUT /groups/{group} {"group": {"add_volumes": "{missing}"}} -> 400 Invalid volume: Cannot add volume {missing} to group {group} because volume cannot be found.`,
			`member@13 PUT /groups/{group} {"group": {"add_volumes": "{foreign}"}} -> 400 because volume cannot be found.`,
			`admin@13 PUT /groups/{group} {"group": {"add_volumes": "{foreign}"}} -> 400 as they belong to different projects.`,
			`member@13 PUT /groups/{group} {"group": {"add_volumes": "{cgmember}"}} -> 400 because it is already in group {cg}.`,
			`member@13 PUT /groups/{group} {"group": {"add_volumes": "{error}"}} -> 400 because volume is in an invalid state: error. Valid states are: ('available', 'in-use').`,
			`member@13 PUT /groups/{group} {"group": {"remove_volumes": "{free}"}} -> 400 Cannot remove volume {free} from group {group} because it is not in the group.`,
			`member@13 PUT /groups/{group} {"group": {"name": "n", "add_volumes": "{free},{used}"}} -> 202`, `member@25 GET /groups/{group}?list_volume=true -> 200 "{free}"`,
			`member@13 POST /groups/{group}/action {"delete": {"delete-volumes": "x"}} -> 400 delete-volumes`,
			`member@13 PUT /groups/{group} {"group": {"remove_volumes": "{used}"}} -> 202`, `member@25 GET /groups/{group}?list_volume=true -> 200 !{used}`,
			`other@13 POST /groups/{group}/action {"delete": {}} -> 404`, `reader@13 POST /groups/{group}/action {"delete": {}} -> 403 group:delete`,
			`member@13 POST /groups/{empty}/action {"delete": {}} -> 202`, `member@13 GET /groups/{empty} -> 404`, `member@13 DELETE /groups/{group} -> 404`,
		},
		"group_actions.enable_replication|": {
			`member@38 POST /groups/{group}/action {"enable_replication": {}} -> 400 Invalid group type: Group {group} is not a replication group type.`,
			`member@38 POST /groups/{group}/action {"list_replication_targets": {}} -> 400 is not a replication group type.`,
			`member@38 POST /groups/{replicated}/action {"disable_replication": {}} -> 400 Invalid volume type: Volume type {default} does not have 'replication_enabled' spec key set to '<is> True'.`,
			`member@38 POST /groups/{replicated}/action {"failover_replication": {}} -> 400`, `member@37 POST /groups/{group}/action {"enable_replication": {}} -> 404`,
		},
	})
	maps.Copy(operations, map[string]operation{
		"groups.create":                          {"member", "POST", "/groups", create},
		"groups.update":                          {"member", "PUT", "/groups/{group}", `{"group": {"name": "n"}}`},
		"group_actions.create_from_src":          {"member", "POST", "/groups/action", `{"create-from-src": {"source_group_id": "{group}"}}`},
		"group_actions.delete":                   {"member", "POST", "/groups/{group}/action", `{"delete": {}}`},
		"group_actions.reset_status":             {"admin", "POST", "/groups/{group}/action", `{"reset_status": {"status": "available"}}`},
		"group_actions.enable_replication":       {"member", "POST", "/groups/{group}/action", `{"enable_replication": {}}`},
		"group_actions.disable_replication":      {"member", "POST", "/groups/{group}/action", `{"disable_replication": {}}`},
		"group_actions.failover_replication":     {"member", "POST", "/groups/{group}/action", `{"failover_replication": {}}`},
		"group_actions.list_replication_targets": {"member", "POST", "/groups/{group}/action", `{"list_replication_targets": {}}`},
		"group_snapshots.create":                 {"member", "POST", "/group_snapshots", `{"group_snapshot": {"group_id": "{group}"}}`},
		"group_snapshot_actions.reset_status":    {"admin", "POST", "/group_snapshots/{groupsnapshot}/action", `{"reset_status": {"status": "available"}}`},
		"consistencygroups.create":               {"member", "POST", "/consistencygroups", createCG},
		"consistencygroups.update":               {"member", "PUT", "/consistencygroups/{cg}", `{"consistencygroup": {"name": "n"}}`},
		"consistencygroups.delete":               {"member", "POST", "/consistencygroups/{cg}/delete", `{"consistencygroup": {"force": false}}`},
		"consistencygroups.create_from_src":      {"member", "POST", "/consistencygroups/create_from_src", `{"consistencygroup-from-src": {"source_cgid": "{cg}"}}`},
		"cgsnapshots.create":                     {"member", "POST", "/cgsnapshots", `{"cgsnapshot": {"consistencygroup_id": "{cg}"}}`},
	})
	const groupLists, snapshotLists = "groups.list, groups.detail|", "group_snapshots.list, group_snapshots.detail|"
	maps.Copy(filterScripts, map[string][]string{
		groupLists + "filter|name": {
			"member@31 groups?name=of-a = a", "member@31 groups/detail?name=of-b = b", "member@31 groups?status=error = 400", "member@30 groups?status=error = e d c b a", "admin@31 groups?status=error = b",
			"admin@34 groups?name~=f-c = c", "member@34 groups?name~=f-c = 400", "admin@13 groups?x=y = ", "admin@13 groups?all_tenants=1 = o e d c b a", "admin@13 groups?all_tenants=1&project_id=" + otherProject + " = o", "other@13 groups = o",
		},
		groupLists + "query|list_volume": {"member@25 groups/detail?list_volume=true = e d c b a", "member@25 groups/detail?list_volume=x = 400", "member@31 groups/detail?list_volume=0&name=of-a = a"},
		groupLists + "sort|":             {"member@13 groups?sort=name:asc = a b c d e", "member@13 groups?sort=status:asc,name:asc&limit=2 = a c", "member@13 groups?sort=id = 200", "member@13 groups?sort=created_at:asc = a b c d e", "member@13 groups?sort=x = 400", "member@13 groups?sort=name:asc&marker={ofc} = d e"},
		groupLists + "links|":            {"member@13 groups?limit=2 = e d", "member@13 groups?marker=" + missing + " = 404"},
		snapshotLists + "filter|": {
			"member@29 group_snapshots?name=of-a = a", "member@29 group_snapshots/detail?status=error = b", "member@29 group_snapshots?group_id={ofc} = c", "member@28 group_snapshots?name=of-a&limit=1 = e d c b a", "member@31 group_snapshots?user_id=x = 400",
			"member@29 group_snapshots?sort=name:asc&limit=2 = a b", "member@29 group_snapshots?limit=2&offset=1 = d c", "admin@29 group_snapshots?all_tenants=1 = o e d c b a", "admin@34 group_snapshots?name~=f-c = c", "admin@14 group_snapshots?all_tenants=1 = o e d c b a",
		},
		snapshotLists + "links|": {"member@29 group_snapshots?limit=2 = e d"},
		"consistencygroups.list, consistencygroups.detail|paging|": {
			"member consistencygroups?limit=2 = e d", "member consistencygroups/detail?sort=name:asc&offset=3 = d e", "member consistencygroups?sort=x = 400", "member@71 consistencygroups?x=y = e d c b a", "admin consistencygroups?all_tenants=1&limit=1 = o", "member consistencygroups?marker=" + missing + " = 404",
		},
		"cgsnapshots.list, cgsnapshots.detail|paging|": {"member cgsnapshots?limit=2&offset=1 = d c", "member@71 cgsnapshots/detail?x=y&limit=1 = e", "admin cgsnapshots?all_tenants=1&limit=1 = o"},
	})
	fieldsElsewhere = append(fieldsElsewhere, "group.create", "group.list_replication_targets")
}

// group makes an available group of a type, as the scheduler would.
func (w *world) group(kind string) string {
	w.t.Helper()
	id := w.do("member@13", "POST", "/v3/groups", `{"group": {"name": "kept", "group_type": "`+kind+`", "volume_types": ["__DEFAULT__"]}}`).want(w.t, 202).at("group", "id").(string)
	w.settleGroup(id)
	return id
}

func (w *world) consistencyGroup() string {
	w.t.Helper()
	id := w.do("member", "POST", "/v3/consistencygroups", `{"consistencygroup": {"name": "kept", "volume_types": "__DEFAULT__"}}`).want(w.t, 202).at("consistencygroup", "id").(string)
	w.settleGroup(id)
	return id
}

// settleGroup does what the scheduler would: the group has its pool.
func (w *world) settleGroup(id string) {
	w.t.Helper()
	g, err := w.db.Group(w.t.Context(), id, "")
	if err == nil {
		err = w.db.Tx(w.t.Context(), func(tx *db.Tx) error { return tx.FinishGroup(w.t.Context(), g, w.pool.Pool) })
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// memberOf makes an available volume in a group.
func (w *world) memberOf(group string) string {
	w.t.Helper()
	id := w.do("member@13", "POST", "/v3/volumes", `{"volume": {"size": 1, "volume_type": "__DEFAULT__", "group_id": "`+group+`"}}`).want(w.t, 202).at("volume", "id").(string)
	w.settle(id)
	return id
}

func (w *world) takeGroup(group string) string {
	w.t.Helper()
	id := w.do("member@14", "POST", "/v3/group_snapshots", `{"group_snapshot": {"group_id": "`+group+`", "name": "kept"}}`).want(w.t, 202).at("group_snapshot", "id").(string)
	w.settleGroupSnapshot(id)
	return id
}

func (w *world) takeCG(group string) string {
	w.t.Helper()
	id := w.do("member", "POST", "/v3/cgsnapshots", `{"cgsnapshot": {"consistencygroup_id": "`+group+`", "name": "kept"}}`).want(w.t, 202).at("cgsnapshot", "id").(string)
	w.settleGroupSnapshot(id)
	return id
}

func (w *world) settleGroupSnapshot(id string) {
	w.t.Helper()
	gs, err := w.db.GroupSnapshot(w.t.Context(), id, "")
	if err != nil {
		w.t.Fatal(err)
	}
	members, err := w.db.SnapshotsOfGroupSnapshot(w.t.Context(), id)
	for _, s := range members {
		if _, claimErr := w.db.ClaimSnapshot(w.t.Context(), s); claimErr != nil {
			err = claimErr
		}
	}
	if err == nil {
		err = w.db.Tx(w.t.Context(), func(tx *db.Tx) error { return tx.FinishGroupSnapshot(w.t.Context(), gs, members) })
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// shelveGroups puts a group and a consistency group for each volume on the shelf,
// without members, and a snapshot of each, all named of-<name>.
func (w *world) shelveGroups() {
	w.t.Helper()
	w.groupType(`{"name": "plain"}`)
	for _, sql := range []string{
		`INSERT INTO groups (id, project_id, user_id, name, status, group_type_id, availability_zone, created_at)
			SELECT gen_random_uuid(), v.project_id, v.user_id, 'of-' || v.name, v.status, t.id, 'nova', v.created_at FROM volumes v, group_types t`,
		`INSERT INTO group_snapshots (id, project_id, user_id, name, status, group_id, group_type_id, created_at)
			SELECT gen_random_uuid(), project_id, user_id, name, status, id, group_type_id, created_at FROM groups`,
	} {
		if _, err := w.db.Pool().Exec(w.t.Context(), sql); err != nil {
			w.t.Fatal(err)
		}
	}
}

// groupID gives the id of the group of that name that is no consistency group.
func (w *world) groupID(name string) string {
	w.t.Helper()
	var id string
	if err := w.db.Pool().QueryRow(w.t.Context(), `SELECT g.id::text FROM groups g JOIN group_types t ON t.id = g.group_type_id
		WHERE g.name = $1 AND t.name = 'plain'`, name).Scan(&id); err != nil {
		w.t.Fatal(name, err)
	}
	return id
}

func (w *world) groupPlaces() map[string]place {
	get := func(path string, way ...any) place { return place{method: "GET", path: "/v3" + path, way: way} }
	s := w.script()
	group, snapshot, cg, cgsnapshot := s.fill("{group}"), s.fill("{groupsnapshot}"), s.fill("{cg}"), s.fill("{cgsnapshot}")
	return map[string]place{
		"group.summary":            get("/groups", "groups", 0),
		"group.detail":             get("/groups/"+group+"?list_volume=true", "group"),
		"groups list":              get("/groups"),
		"group_snapshot.summary":   get("/group_snapshots", "group_snapshots", 0),
		"group_snapshot.detail":    get("/group_snapshots/"+snapshot, "group_snapshot"),
		"group_snapshots list":     get("/group_snapshots"),
		"consistencygroup.summary": get("/consistencygroups", "consistencygroups", 0),
		"consistencygroup.detail":  get("/consistencygroups/"+cg, "consistencygroup"),
		"consistencygroups list":   get("/consistencygroups"),
		"cgsnapshot.summary":       get("/cgsnapshots", "cgsnapshots", 0),
		"cgsnapshot.detail":        get("/cgsnapshots/"+cgsnapshot, "cgsnapshot"),
	}
}

func TestGroupViews(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	s := w.script()
	s.fill("{member}{cgmember}")
	group, snapshot, cg, cgsnapshot := s.fill("{group}"), s.fill("{groupsnapshot}"), s.fill("{cg}"), s.fill("{cgsnapshot}")
	get := func(name, path string) viewCase { return viewCase{name, "GET", fixed(path), ""} }
	w.views([]viewCase{
		get("groups.list", "/v3/groups"),
		get("groups.list-paged", "/v3/"+ownProject+"/groups?limit=1"),
		get("groups.detail", "/v3/groups/detail?list_volume=true"),
		get("groups.show", "/v3/groups/"+group),
		get("group_snapshots.list", "/v3/group_snapshots"),
		get("group_snapshots.list-paged", "/v3/group_snapshots?limit=1"),
		get("group_snapshots.detail", "/v3/group_snapshots/detail"),
		get("group_snapshots.show", "/v3/group_snapshots/"+snapshot),
		get("consistencygroups.list", "/v3/consistencygroups"),
		get("consistencygroups.list-paged", "/v3/consistencygroups?limit=1"),
		get("consistencygroups.detail", "/v3/consistencygroups/detail"),
		get("consistencygroups.show", "/v3/consistencygroups/"+cg),
		get("cgsnapshots.list", "/v3/cgsnapshots?limit=1"),
		get("cgsnapshots.detail", "/v3/cgsnapshots/detail"),
		get("cgsnapshots.show", "/v3/cgsnapshots/"+cgsnapshot),
		get("volumes.show-grouped", "/v3/volumes/"+s.fill("{member}")),
		get("volumes.show-cg", "/v3/volumes/"+s.fill("{cgmember}")),
		// Those that add rows come last.
		{"groups.create", "POST", fixed("/v3/groups"), `{"group": {"name": "new", "group_type": "` + s.fill("{grouptype}") + `", "volume_types": ["__DEFAULT__"]}}`},
		{"group_snapshots.create", "POST", fixed("/v3/group_snapshots"), `{"group_snapshot": {"group_id": "` + group + `", "name": "new"}}`},
		{"consistencygroups.create", "POST", fixed("/v3/consistencygroups"), `{"consistencygroup": {"name": "new", "volume_types": "__DEFAULT__"}}`},
		{"cgsnapshots.create", "POST", fixed("/v3/cgsnapshots"), `{"cgsnapshot": {"consistencygroup_id": "` + cg + `", "name": "new"}}`},
	})
}
