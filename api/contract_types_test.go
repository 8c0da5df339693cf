package api

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"

	"clinker/db"
)

// What the contract's tables say of who may use types, of their encryption, of
// default types and of QoS specs; see contract_test.go.
func init() {
	const add, remove = `{"addProjectAccess": {"project": "p"}}`, `{"removeProjectAccess": {"project": "p"}}`
	const luks = `{"encryption": {"provider": "luks", "control_location": "front-end"}}`
	maps.Copy(errorScripts, map[string][]string{
		"type_access.list|": {
			`admin GET /types/{type}/os-volume-type-access -> 404 Access list not available for public volume types.`,
			`admin GET /types/{missing}/os-volume-type-access -> 404 Volume type {missing} could not be found.`,
			`member GET /types/{private}/os-volume-type-access -> 403 volume_extension:volume_type_access:get_all_for_type`,
			`admin GET /types/{private}/os-volume-type-access -> 200 {"volume_type_access":[]}`,
		},
		"type_access.add|already": {
			`admin POST /types/{private}/action ` + add + ` -> 202`,
			`admin POST /types/{private}/action ` + add + ` -> 409 Volume type access for {private} / p combination already exists.`,
			`admin GET /types/{private}/os-volume-type-access -> 200 {"volume_type_access":[{"volume_type_id":"{private}","project_id":"p"}]}`,
			`member POST /types/{private}/action ` + add + ` -> 403`, `admin POST /types/{missing}/action ` + add + ` -> 404`, `admin POST /types/x/action ` + add + ` -> 404`,
		},
		"type_access.add|public": {
			`admin POST /types/{type}/action ` + add + ` -> 400 Invalid volume type: Type access modification is not applicable to public volume type.`,
			`admin POST /types/{type}/action ` + remove + ` -> 400 not applicable to public volume type.`,
		},
		"type_access.remove|": {
			`admin POST /types/{private}/action ` + remove + ` -> 404 Volume type access not found for {private} / p combination.`,
			`admin POST /types/{private}/action ` + add + ` -> 202`, `admin POST /types/{private}/action ` + remove + ` -> 202`,
			`admin GET /types/{private}/os-volume-type-access -> 200 []`,
		},
		"type_encryption.create|already": {
			`admin POST /types/{luks}/encryption ` + luks + ` -> 400 Volume type encryption for type {luks} already exists.`,
			`admin POST /types/{missing}/encryption ` + luks + ` -> 404 Volume type {missing} could not be found.`,
			`member POST /types/{luks}/encryption ` + luks + ` -> 403 volume_extension:volume_type_encryption:create`,
		},
		"type_encryption.create, ": {
			`admin POST /types/{usedtype}/encryption ` + luks + ` -> 400 Cannot create encryption specs. Volume type in use.`,
			`admin PUT /types/{usedtype}/encryption/x {"encryption": {}} -> 400 Cannot update encryption specs. Volume type in use.`,
			`admin DELETE /types/{usedtype}/encryption/x -> 400 Cannot delete encryption specs. Volume type in use.`,
			`admin PUT /types/{luks}/encryption/x {"encryption": {"key_size": "512", "cipher": null}} -> 200 {"encryption":{"cipher":null,"key_size":512}}`,
			`admin PUT /types/{luks}/encryption/x {"encryption": {"unheard": 1}} -> 400 unheard`,
			`admin PUT /types/{type}/encryption/x {"encryption": {"key_size": 1}} -> 404 Volume type encryption for type {type} does not exist.`,
		},
		"type_encryption.item, ": {
			`admin GET /types/{type}/encryption -> 200 {}`, `admin GET /types/{type}/encryption/cipher -> 404 Volume type encryption for type {type} does not exist.`,
			`admin GET /types/{luks}/encryption/nope -> 404 does not exist.`, `admin GET /types/{luks}/encryption/key_size -> 200 {"key_size":256}`,
			`admin DELETE /types/{type}/encryption/x -> 404 does not exist.`, `admin DELETE /types/{luks}/encryption/x -> 202`,
			`admin GET /types/{luks}/encryption -> 200 {}`, `admin GET /types/{missing}/encryption -> 404 Volume type`,
		},
		"volumes.create|multiattach type with": {
			`admin POST /types/{luks}/extra_specs {"extra_specs": {"multiattach": "<is> True"}} -> 200`,
			`member POST /volumes {"volume": {"size": 1, "volume_type": "{luks}"}} -> 400 Invalid volume: Multiattach cannot be used with encrypted volumes.`,
			`admin DELETE /types/{luks}/extra_specs/multiattach -> 202`,
			`member POST /volumes {"volume": {"size": 1, "volume_type": "{luks}"}} -> 202 "encrypted":true`,
		},
		"qos.create|name taken": {
			`admin POST /qos-specs {"qos_specs": {"name": "{qosname}"}} -> 200 "consumer":"back-end","specs":{}`,
			`admin POST /qos-specs {"qos_specs": {"name": " {qosname} "}} -> 409 QoS Specs {qosname} already exists.`,
			`member POST /qos-specs {"qos_specs": {"name": "x"}} -> 403 volume_extension:qos_specs_manage:create`,
		},
		"qos.create|bad consumer": {
			`admin POST /qos-specs {"qos_specs": {"name": "x", "consumer": "nobody"}} -> 400 Valid consumer of QoS specs are: `,
			`admin PUT /qos-specs/{qos} {"qos_specs": {"consumer": "nobody"}} -> 400 Valid consumer of QoS specs are: `,
			`admin POST /qos-specs {"qos_specs": {"name": "x", "read_iops_sec_per_gb": "many"}} -> 400 read_iops_sec_per_gb must be a whole number`,
			`admin PUT /qos-specs/{qos} {"qos_specs": {"consumer": "front-end", "b": "2"}} -> 200 {"qos_specs":{"b":"2","consumer":"front-end"}}`,
			`admin GET /qos-specs/{qos} -> 200 "consumer":"front-end","specs":{"b":"2","total_iops_sec":"100"}`,
			`admin PUT /qos-specs/{missing} {"qos_specs": {"a": "b"}} -> 404 No such QoS spec {missing}.`, `admin GET /qos-specs/x -> 404 No such QoS spec x.`,
		},
		"qos.delete|": {
			`admin DELETE /qos-specs/{boundqos} -> 400 Qos specs still in use.`, `admin DELETE /qos-specs/{boundqos}?force=false -> 400 Qos specs still in use.`,
			`admin DELETE /qos-specs/{boundqos}?force=x -> 400 Value 'x' for 'force' is not a boolean.`, `member DELETE /qos-specs/{boundqos}?force=true -> 403`,
			`admin DELETE /qos-specs/{boundqos}?force=true -> 202`, `admin GET /types/{boundtype} -> 200 "qos_specs_id":null`,
			`admin DELETE /qos-specs/{boundqos} -> 404 No such QoS spec {boundqos}.`, `admin DELETE /qos-specs/{qos} -> 202`,
		},
		"qos.delete_keys|": {
			`admin PUT /qos-specs/{qos}/delete_keys {"keys": ["total_iops_sec", "no"]} -> 404 QoS spec {qos} has no spec with key no.`,
			`admin PUT /qos-specs/{qos}/delete_keys {"keys": ["total_iops_sec"]} -> 202`, `admin GET /qos-specs/{qos} -> 200 "specs":{}`,
			`admin PUT /qos-specs/{missing}/delete_keys {"keys": []} -> 404`, `member PUT /qos-specs/{qos}/delete_keys {"keys": []} -> 403 volume_extension:qos_specs_manage:delete`,
		},
		"qos.associate|": {
			`admin GET /qos-specs/{qos}/associate -> 400 Volume Type id must not be None.`, `admin GET /qos-specs/{qos}/disassociate -> 400 Volume Type id must not be None.`,
			`admin GET /qos-specs/{qos}/associate?vol_type_id={boundtype} -> 400 Invalid volume type: Type {boundtype} is already associated with another qos specs: {boundqos}`,
			`admin GET /qos-specs/{qos}/associate?vol_type_id={missing} -> 404 Volume type {missing} could not be found.`, `admin GET /qos-specs/{missing}/associate?vol_type_id={type} -> 404 No such QoS spec`,
			`admin GET /qos-specs/{boundqos}/associate?vol_type_id={boundtype} -> 202`, `admin GET /qos-specs/{boundqos}/associations -> 200 "id":"{boundtype}"`,
			`admin GET /qos-specs/{qos}/disassociate?vol_type_id={boundtype} -> 202`, `admin GET /types/{boundtype} -> 200 "qos_specs_id":"{boundqos}"`,
			`admin GET /qos-specs/{boundqos}/disassociate?vol_type_id={boundtype} -> 202`, `admin GET /qos-specs/{boundqos}/associations -> 200 {"qos_associations":[]}`,
			`admin GET /qos-specs/{qos}/associate?vol_type_id={boundtype} -> 202`, `admin GET /qos-specs/{qos}/disassociate_all -> 202`, `admin GET /types/{boundtype} -> 200 "qos_specs_id":null`,
			`admin GET /qos-specs/{missing}/associations -> 404`, `admin GET /qos-specs/{missing}/disassociate_all -> 404`, `member GET /qos-specs/{qos}/associate?vol_type_id={type} -> 403`,
			`member GET /types/{boundtype} -> 200 !qos_specs_id`,
		},
		"default_types.set|": {
			`admin@62 PUT /default-types/` + otherProject + ` {"default_type": {"volume_type": "unheard"}} -> 400 Volume type with name unheard could not be found.`,
			`admin@62 PUT /default-types/` + otherProject + ` {} -> 400 'default_type' is a required property`,
			`admin@61 PUT /default-types/` + otherProject + ` {"default_type": {"volume_type": "{typename}"}} -> 404`,
			`admin@62 GET /default-types/` + otherProject + ` -> 404 Default type for project ` + otherProject + ` not found.`,
			`admin@62 PUT /default-types/` + otherProject + ` {"default_type": {"volume_type": "{typeof}"}, "x": 1} -> 200 {"default_type":{"project_id":"` + otherProject + `","volume_type_id":"{type}"}}`,
			`admin DELETE /types/{type} -> 400 The volume type {type} is a default volume type and cannot be deleted.`,
			`other POST /volumes {"volume": {"size": 1}} -> 202 "volume_type":"{typename}"`, `member POST /volumes {"volume": {"size": 1}} -> 202 "volume_type":"__DEFAULT__"`,
			`other GET /types/default -> 200 {type}`, `admin@62 DELETE /default-types/` + otherProject + ` -> 204`, `admin@62 DELETE /default-types/` + otherProject + ` -> 204`,
			`other POST /volumes {"volume": {"size": 1}} -> 202 "volume_type":"__DEFAULT__"`, `admin@62 GET /default-types -> 200 {"default_types":[]}`,
			`admin@62 PUT /default-types/` + otherProject + ` {"default_type": {"volume_type": "{private}"}} -> 200`,
			`other POST /volumes {"volume": {"size": 1}} -> 404 Volume type {private} could not be found.`, `admin@62 DELETE /default-types/` + otherProject + ` -> 204`,
		},
		"default_types.list|": {
			`member@62 GET /default-types -> 403 You are not authorized to perform this operation.`, `member@62 GET /default-types/` + ownProject + ` -> 403 You are not authorized`,
			`member@62 DELETE /default-types/` + ownProject + ` -> 403 You are not authorized`, `admin@61 GET /default-types -> 404`,
		},
	})
	const retype = `/action {"os-retype": {"new_type": `
	maps.Copy(errorScripts, map[string][]string{
		"volume_actions.retype|type unknown": {
			`member POST /volumes/{free}` + retype + `"unheard"}} -> 404 Volume type with name unheard could not be found.`,
			`member POST /volumes/{free}` + retype + `"{missing}"}} -> 404`, `member POST /volumes/{free}` + retype + `"{private}"}} -> 404`,
			`member POST /volumes/{foreign}` + retype + `"{type}"}} -> 404`, `reader POST /volumes/{free}` + retype + `"{type}"}} -> 403 volume:retype`,
			`member POST /volumes/{free}` + retype + `"{type}", "migration_policy": "sometimes"}} -> 400 migration_policy`,
		},
		"volume_actions.retype|same type": {
			`member POST /volumes/{free}` + retype + `"__DEFAULT__"}} -> 400 Invalid volume: Retype needs volume to be in available or in-use state`,
			`member POST /volumes/{error}` + retype + `"{type}"}} -> 400 Invalid volume: Retype needs volume`, `member POST /volumes/{reserved}` + retype + `"{type}"}} -> 400`,
			`admin POST /volumes/{big}/action {"os-reset_status": {"migration_status": "migrating"}} -> 202`, `member POST /volumes/{big}` + retype + `"{type}"}} -> 400 Invalid volume`,
			`admin POST /qos-specs {"qos_specs": {"name": "{qosname}", "consumer": "front-end"}} -> 200`, `admin PUT /qos-specs/{boundqos} {"qos_specs": {"consumer": "both"}} -> 200`,
			`member POST /volumes/{used}` + retype + `"{boundtype}"}} -> 400 Invalid volume: Retype needs volume`,
			`member POST /volumes/{used}` + retype + `"{type}", "migration_policy": "on-demand"}} -> 202`, `member GET /volumes/{used} -> 200 "retyping"`,
			`member POST /volumes/{used}` + retype + `"__DEFAULT__"}} -> 400`, `admin DELETE /types/{type} -> 400 in use`,
			`member POST /volumes/{free}` + retype + `"{boundtype}", "migration_policy": null}} -> 202`, `member DELETE /volumes/{free} -> 400`,
			`admin POST /volumes/{free}/action {"os-reset_status": {"status": "available"}} -> 202`, `member DELETE /volumes/{free} -> 202`,
		},
		"volume_actions.retype|multiattach": {
			`admin POST /types/{type}/extra_specs {"extra_specs": {"multiattach": "<is> True"}} -> 200`,
			`member POST /volumes/{used}` + retype + `"{type}"}} -> 400 Invalid input received: Invalid volume_type passed, retypes affecting multiattach are only allowed on available volumes, the specified volume however currently has a status of: in-use.`,
			`admin POST /types/{luks}/extra_specs {"extra_specs": {"multiattach": "<is> True"}} -> 200`,
			`member POST /volumes/{free}` + retype + `"{luks}"}} -> 400 Invalid input received: Retype requested both encryption and multi-attach, which is not supported.`,
			`member POST /volumes/{free}` + retype + `"{type}"}} -> 202`,
			`admin POST /types {"volume_type": {"name": "{qosname}", "extra_specs": {"provisioning:min_vol_size": "2"}}} -> 200`,
			`member POST /volumes/{reserved}` + retype + `"{qosname}"}} -> 400 less than the minimum required size of '2'`,
		},
	})
	elsewhere = append(elsewhere, "default_types.*|unknown project")
	maps.Copy(operations, map[string]operation{
		"type_access.add":        {"admin", "POST", "/types/{private}/action", add},
		"type_access.remove":     {"admin", "POST", "/types/{private}/action", remove},
		"type_encryption.create": {"admin", "POST", "/types/{type}/encryption", luks},
		"type_encryption.update": {"admin", "PUT", "/types/{luks}/encryption/x", luks},
		"default_types.set":      {"admin", "PUT", "/default-types/" + ownProject, `{"default_type": {"volume_type": "x"}}`},
		"qos.create":             {"admin", "POST", "/qos-specs", `{"qos_specs": {"name": "n"}}`},
		"qos.update":             {"admin", "PUT", "/qos-specs/{qos}", `{"qos_specs": {"a": "b"}}`},
		"volume_actions.retype":  {"member", "POST", "/volumes/{free}/action", `{"os-retype": {"new_type": "__DEFAULT__"}}`},
		"qos.delete_keys":        {"admin", "PUT", "/qos-specs/{qos}/delete_keys", `{"keys": ["a"]}`},
	})
	maps.Copy(filterScripts, map[string][]string{
		"qos.list|filter|": {
			"admin qos-specs?name=a = a", "admin qos-specs?consumer=both = b a", "admin qos-specs?id=" + missing + " = ", "admin qos-specs?nope=1 = ", "admin qos-specs?consumer=both&name=b = b",
			"admin@71 qos-specs?sort=name:asc = a b c", "admin qos-specs?sort=consumer:asc,name:desc = b a c", "admin qos-specs?sort=nope = 400", "admin qos-specs?sort_key=id = 200", "member qos-specs = 403",
		},
		"qos.list|links|":           {"admin qos-specs?limit=2 = c b", "admin qos-specs?limit=2&offset=2 = a", "admin qos-specs?limit=1&marker={b} = a", "admin qos-specs?marker=" + missing + " = 404", "admin qos-specs?limit=x = 400"},
		"qos.delete|query|":         {"admin qos-specs?limit=0 = "},
		"default_types.list|paging": {"admin@62 default-types?limit=0 = 200"},
	})
}

// makeType makes what a script's word for a type or QoS specs stands for.
func (s *script) makeType(word string) (id string, known bool) {
	switch word {
	case "typeof": // the name of type, which is there
		s.fill("{type}")
		return s.fill("{typename}"), true
	case "private":
		return s.volumeType(fmt.Sprintf(`{"name": "private-%d", "os-volume-type-access:is_public": false}`, s.next())), true
	case "luks":
		id := s.volumeType(fmt.Sprintf(`{"name": "encrypted-%d"}`, s.next()))
		s.encrypt(id)
		return id, true
	case "qosname":
		return fmt.Sprintf("qos-%d", s.next()), true
	case "qos":
		return s.qos(fmt.Sprintf(`{"name": "qos-%d", "total_iops_sec": "100"}`, s.next())), true
	case "boundtype":
		s.fill("{boundqos}")
		return s.words["{boundtype}"], true
	case "boundqos":
		id, kind := s.qos(fmt.Sprintf(`{"name": "qos-%d"}`, s.next())), s.volumeType(fmt.Sprintf(`{"name": "bound-%d"}`, s.next()))
		s.do("admin", "GET", "/v3/qos-specs/"+id+"/associate?vol_type_id="+kind, "").want(s.t, 202)
		s.words["{boundtype}"] = kind
		return id, true
	}
	return "", false
}

func (w *world) encrypt(typeID string) {
	w.t.Helper()
	w.do("admin", "POST", "/v3/types/"+typeID+"/encryption", `{"encryption": {"provider": "luks", "control_location": "front-end",
		"cipher": "aes-xts-plain64", "key_size": "256"}}`).want(w.t, 200)
}

// qos makes QoS specs and gives their id.
func (w *world) qos(body string) string {
	w.t.Helper()
	return w.do("admin", "POST", "/v3/qos-specs", `{"qos_specs": `+body+`}`).want(w.t, 200).at("qos_specs", "id").(string)
}

// shelveQos puts three sets of specs on the shelf, the youngest last.
func (w *world) shelveQos() {
	w.t.Helper()
	_, err := w.db.Pool().Exec(w.t.Context(), `INSERT INTO qos_specs (id, name, consumer, created_at) SELECT id, name,
		CASE name WHEN 'c' THEN 'front-end' ELSE 'both' END, created_at FROM volumes WHERE name IN ('a', 'b', 'c')`)
	if err != nil {
		w.t.Fatal(err)
	}
}

// projects is an identity service that knows only one project.
type projects string

func (p projects) ProjectExists(_ context.Context, id string) (bool, error) {
	return id == string(p), nil
}

func TestContractDefaultTypeOfNoProject(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Projects = projects(otherProject) })
	s := w.script()
	for _, line := range []string{
		`admin@62 GET /default-types/` + missing + ` -> 404 Project with id ` + missing + ` not found.`,
		`admin@62 PUT /default-types/` + missing + ` {"default_type": {"volume_type": "__DEFAULT__"}} -> 404 Project with id`,
		`admin@62 DELETE /default-types/` + missing + ` -> 404 Project with id`,
		`admin@62 PUT /default-types/` + otherProject + ` {"default_type": {"volume_type": "__DEFAULT__"}} -> 200`,
		`member@62 GET /default-types/` + missing + ` -> 403`,
	} {
		if err := s.run(line); err != nil {
			t.Error(err)
		}
	}
}

func (w *world) typePlaces() map[string]place {
	get := func(path string, way ...any) place { return place{method: "GET", path: "/v3" + path, way: way} }
	s := w.script()
	private := s.fill("{private}")
	w.do("admin", "POST", "/v3/types/"+private+"/action", `{"addProjectAccess": {"project": "`+otherProject+`"}}`).want(w.t, 202)
	w.do("admin@62", "PUT", "/v3/default-types/"+otherProject, `{"default_type": {"volume_type": "__DEFAULT__"}}`).want(w.t, 200)
	return map[string]place{
		"types list":         get("/types"),
		"type.access":        get("/types/"+private+"/os-volume-type-access", "volume_type_access", 0),
		"type.encryption":    get("/types/" + s.fill("{luks}") + "/encryption"),
		"qos":                get("/qos-specs/"+s.fill("{boundqos}"), "qos_specs"),
		"qos.envelope":       get("/qos-specs/" + s.fill("{boundqos}")),
		"qos list":           get("/qos-specs"),
		"qos.associations":   get("/qos-specs/" + s.fill("{boundqos}") + "/associations"),
		"qos.associations[]": get("/qos-specs/"+s.fill("{boundqos}")+"/associations", "qos_associations", 0),
		"default_type":       get("/default-types/"+otherProject, "default_type"),
	}
}

// typeViews makes what they show only when they are asked for: behind the views
// of quotas, in which every type has a part.
func (w *world) typeViews() []viewCase {
	places := sync.OnceValue(w.typePlaces)
	of := func(view, more string) func(int) string {
		return func(int) string { return places()[view].path + more }
	}
	get := func(name, view, more string) viewCase { return viewCase{name, "GET", of(view, more), ""} }
	return []viewCase{
		get("type_access.list", "type.access", ""),
		get("type_encryption.show", "type.encryption", ""),
		get("type_encryption.item", "type.encryption", "/cipher"),
		{"type_encryption.update", "PUT", of("type.encryption", "/x"), `{"encryption": {"cipher": "aes-xts-plain64"}}`},
		get("qos.list", "qos list", "?limit=1"),
		get("qos.show", "qos", ""),
		{"qos.update", "PUT", of("qos", ""), `{"qos_specs": {"total_iops_sec": "100"}}`},
		get("qos.associations", "qos.associations", ""),
		get("default_types.show", "default_type", ""),
		{"default_types.set", "PUT", of("default_type", ""), `{"default_type": {"volume_type": "__DEFAULT__"}}`},
		{"default_types.list", "GET", fixed("/v3/default-types"), ""},
	}
}

// Hosts are told how the volumes of an encrypted type are to be read.
func TestVolumeEncryption(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.script()
	s.words["{of}"] = w.volume("member", "")
	id := s.fill("{luks}")
	if _, err := w.db.Pool().Exec(t.Context(), "UPDATE volumes SET volume_type_id = $1, encryption_key_id = $2 WHERE id = $3", id, missing, s.words["{of}"]); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`member GET /volumes/{of}/encryption -> 200 {"encryption_key_id":"` + missing + `","control_location":"front-end","cipher":"aes-xts-plain64","key_size":256,"provider":"luks"}`,
		`member GET /volumes/{of}/encryption/cipher -> 200 aes-xts-plain64`, `member GET /volumes/{of}/encryption/key_size -> 200 256`,
		`member GET /volumes/{of}/encryption/nope -> 404`, `admin PUT /types/{luks}/encryption/x {"encryption": {"key_size": 1}} -> 400 in use`,
		`admin DELETE /types/{luks}/encryption/x -> 400 in use`,
	} {
		if err := s.run(line); err != nil {
			t.Error(err)
		}
	}
}

// The limits of front-end QoS reach who attaches the volume, for its size.
func TestFrontEndQos(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		specs, want db.StringMap
		sizeGiB     int
	}{
		{nil, db.StringMap{}, 3},
		{db.StringMap{"total_iops_sec": "100", "total_iops_sec_max": "200"}, db.StringMap{"total_iops_sec": "100", "total_iops_sec_max": "200"}, 3},
		{db.StringMap{"read_iops_sec_per_gb": "10"}, db.StringMap{"read_iops_sec": "30"}, 3},
		{db.StringMap{"read_iops_sec_per_gb": "10", "read_iops_sec_per_gb_min": "50"}, db.StringMap{"read_iops_sec": "50"}, 3},
		{db.StringMap{"read_iops_sec_per_gb": "10", "read_iops_sec_max": "20", "x": "y"}, db.StringMap{"read_iops_sec": "20", "x": "y"}, 3},
		{db.StringMap{"write_bytes_sec_per_gb": "1048576", "write_bytes_sec": "1"}, db.StringMap{"write_bytes_sec": "2199023255552"}, 1 << 21},
	} {
		if got := db.QosForSize(c.specs, c.sizeGiB); !maps.Equal(got, c.want) {
			t.Errorf("%v of %d GiB: %v, want %v", c.specs, c.sizeGiB, got, c.want)
		}
	}
}

func TestConnectionOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for consumer, want := range map[string]any{"front-end": "10", "both": "10", "back-end": nil} {
		kind := w.volumeType(`{"name": "` + consumer + `", "extra_specs": {"cacheable": "<is> True"}}`)
		qos := w.qos(`{"name": "` + consumer + `", "consumer": "` + consumer + `", "read_iops_sec_per_gb": "10"}`)
		w.do("admin", "GET", "/v3/qos-specs/"+qos+"/associate?vol_type_id="+kind, "").want(t, 202)
		id := w.volume("member", `, "volume_type": "`+consumer+`"`)
		r := w.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "instance_uuid": "`+server+`",
			"connector": {"host": "h", "initiator": "i"}}}`).want(t, 200)
		if got := r.at("attachment", "connection_info", "qos_specs", "read_iops_sec"); got != want {
			t.Errorf("%s: %v, want %v: %s", consumer, got, want, r.body)
		}
		if r.at("attachment", "connection_info", "cacheable") != true || r.at("attachment", "connection_info", "encrypted") != false {
			t.Error(r.body)
		}
	}
}
