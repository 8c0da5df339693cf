package api

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"clinker/db"
)

// What the contract's tables say of group types; see contract_test.go.
func init() {
	maps.Copy(moreWords, map[string]func(*script) string{
		"grouptype": func(s *script) string {
			s.words["{grouptypename}"] = fmt.Sprintf("group-type-%d", s.next())
			return s.groupType(`{"name": "` + s.words["{grouptypename}"] + `", "group_specs": {"a": "b"}}`)
		},
		"privategrouptype": func(s *script) string {
			return s.groupType(fmt.Sprintf(`{"name": "private-%d", "is_public": "no"}`, s.next()))
		},
	})
	maps.Copy(errorScripts, map[string][]string{
		"group_types.create|name taken": {
			`admin@11 POST /group_types {"group_type": {"name": "default_cgsnapshot_type"}} -> 409 Group Type default_cgsnapshot_type already exists.`,
			`admin@11 PUT /group_types/{grouptype} {"group_type": {"name": "default_cgsnapshot_type"}} -> 409 already exists.`,
			`admin@11 PUT /group_types/{grouptype} {"group_type": {"name": " "}} -> 400 Group type name can not be empty.`,
			`admin@11 PUT /group_types/{grouptype} {"group_type": {}} -> 400 Specify group type name, description or a combination thereof.`,
			`admin@11 PUT /group_types/{missing} {"group_type": {"name": "x"}} -> 404 Group type {missing} could not be found.`,
			`admin@11 PUT /group_types/{grouptype} {"group_type": {"description": "d", "is_public": false}} -> 200 "description":"d","is_public":false`,
			`member@11 GET /group_types/{grouptype} -> 404`, `admin@11 GET /group_types/{grouptype} -> 200 "group_specs":{"a":"b"}`,
			`member@11 POST /group_types {"group_type": {"name": "x"}} -> 403 group:group_types:create`, `admin@10 GET /group_types -> 404`,
			`admin@11 GET /group_types/default -> 404 Default group type can not be found.`,
			`admin@11 PUT /group_types/{grouptype}/group_specs/a {"b": "c"} -> 400 Request body and URI mismatch`,
			`admin@11 GET /group_types/{grouptype}/group_specs/no -> 404 Group Type {grouptype} has no extra spec with key no.`,
			`admin@11 DELETE /group_types/{grouptype}/group_specs/no -> 404 Group Type {grouptype} has no specs with key no.`,
			`admin@11 POST /group_types/{grouptype}/group_specs {"group_specs": {"c": "d"}} -> 202 {"group_specs":{"c":"d"}}`,
			`admin@11 PUT /group_types/{grouptype}/group_specs/c {"c": "e"} -> 200 {"c":"e"}`,
			`admin@11 GET /group_types/{grouptype}/group_specs/c -> 200 {"c":"e"}`,
			`admin@11 DELETE /group_types/{grouptype}/group_specs/a -> 202`,
			`admin@11 GET /group_types/{grouptype}/group_specs -> 200 {"group_specs":{"c":"e"}}`,
			`member@11 GET /group_types/{grouptype}/group_specs -> 403 group:group_types_specs:get_all`,
			`admin@11 DELETE /group_types/{grouptype} -> 202`, `admin@11 DELETE /group_types/{grouptype} -> 404`,
		},
	})
	maps.Copy(operations, map[string]operation{
		"group_types.create": {"admin", "POST", "/group_types", `{"group_type": {"name": "default_cgsnapshot_type"}}`},
		"group_types.update": {"admin", "PUT", "/group_types/{grouptype}", `{"group_type": {"description": "d"}}`},
		"group_specs.create": {"admin", "POST", "/group_types/{grouptype}/group_specs", `{"group_specs": {"a": "b"}}`},
		"group_specs.update": {"admin", "PUT", "/group_types/{grouptype}/group_specs/a", `{"a": "b"}`},
	})
	maps.Copy(filterScripts, map[string][]string{
		"group_types.list|filter|is_public": {"member@11 group_types?is_public=x = 200", "admin@11 group_types?is_public=x = 400", "admin@11 group_types?is_public=none = 200"},
		"group_types.list|links|":           {"member@11 group_types?limit=1 = 200", "member@11 group_types?marker=" + missing + " = 200", "member@11 group_types?sort=x = 400"},
	})
}

func (w *world) groupType(body string) string {
	w.t.Helper()
	return w.do("admin@11", "POST", "/v3/group_types", `{"group_type": `+body+`}`).want(w.t, 202).at("group_type", "id").(string)
}

func (w *world) groupTypePlaces() map[string]place {
	get := func(path string, way ...any) place { return place{method: "GET", path: "/v3" + path, way: way} }
	id := w.groupType(`{"name": "shown", "description": "d", "group_specs": {"a": "b"}}`)
	return map[string]place{
		"group_type":       get("/group_types/"+id, "group_type"),
		"group_types list": get("/group_types"),
		"group_specs":      get("/group_types/" + id + "/group_specs"),
	}
}

func TestGroupTypeViews(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.DefaultGroupType = "default_cgsnapshot_type" })
	get := func(name, path string) viewCase { return viewCase{name, "GET", fixed(path), ""} }
	id := w.groupType(`{"name": "shown", "description": "d", "group_specs": {"a": "b"}}`)
	w.views([]viewCase{
		get("group_types.list", "/v3/group_types?sort=name:asc"),
		get("group_types.list-paged", "/v3/"+ownProject+"/group_types?limit=1"),
		get("group_types.show", "/v3/group_types/"+id),
		get("group_types.default", "/v3/group_types/default"),
		get("group_specs.list", "/v3/group_types/"+id+"/group_specs"),
		{"group_types.update", "PUT", fixed("/v3/group_types/" + id), `{"group_type": {"description": "d"}}`},
	})
}

// views checks each as an administrator and as a member.
func (w *world) views(cases []viewCase) {
	for _, c := range cases {
		for _, persona := range []string{"admin", "member"} {
			w.checkView(c, persona)
		}
	}
}

func TestGroupTypesSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	w.groupType(`{"name": "private", "is_public": false}`)
	for request, want := range map[string]string{
		"admin@11 /v3/group_types":                  "default_cgsnapshot_type",
		"member@11 /v3/group_types?is_public=false": "default_cgsnapshot_type",
		"admin@11 /v3/group_types?is_public=None":   "private default_cgsnapshot_type",
		"admin@11 /v3/group_types?is_public=0":      "private",
	} {
		persona, path, _ := strings.Cut(request, " ")
		if got := w.do(persona, "GET", path, "").want(t, 200).names("group_types", "name"); got != want {
			t.Errorf("%s: %s", request, got)
		}
	}
}
