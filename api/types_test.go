package api

import (
	"net/http"
	"strings"
	"testing"
)

// volumeType creates a type and gives its id.
func (w *world) volumeType(body string) string {
	w.t.Helper()
	return w.do("admin", "POST", "/v3/types", `{"volume_type": `+body+`}`).want(w.t, http.StatusOK).at("volume_type", "id").(string)
}

// names gives one field of every item of a list.
func (r response) names(collection, field string) string {
	items, _ := r.at(collection).([]any)
	var all []string
	for _, item := range items {
		name, _ := item.(map[string]any)[field].(string)
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestTypeLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volumeType(`{"name": "gold", "extra_specs": {"volume_backend_name": "lvm", "multiattach": "<is> True", "none": null}}`)
	path := "/v3/types/" + id
	seen := w.do("member", "GET", path, "").want(t, 200)
	if specs := seen.at("volume_type", "extra_specs").(map[string]any); len(specs) != 1 || specs["multiattach"] != "<is> True" {
		t.Errorf("a member sees %v", specs)
	}
	if r := w.do("admin", "GET", path+"/extra_specs", "").want(t, 200); len(r.at("extra_specs").(map[string]any)) != 3 {
		t.Error(r.body)
	}
	w.do("member", "GET", path+"/extra_specs/volume_backend_name", "").want(t, 404)
	if r := w.do("admin", "GET", path+"/extra_specs/volume_backend_name", "").want(t, 200); r.body != `{"volume_backend_name":"lvm"}` {
		t.Error(r.body)
	}
	w.do("member", "PUT", path, `{"volume_type": {"name": "x"}}`).want(t, 403)
	if r := w.do("admin", "PUT", path, `{"volume_type": {"name": "silver", "description": "d", "is_public": "false"}}`).want(t, 200); r.at("volume_type", "name") != "silver" ||
		r.at("volume_type", "is_public") != false || strings.Contains(r.body, "os-volume-type-access") {
		t.Error(r.body)
	}
	w.do("member", "GET", path, "").want(t, 404)
	w.do("admin", "PUT", path+"/extra_specs/a", `{"a": "1"}`).want(t, 200)
	w.do("admin", "POST", path+"/extra_specs", `{"extra_specs": {"b": "2"}}`).want(t, 200)
	w.do("admin", "DELETE", path+"/extra_specs/a", "").want(t, 202)
	w.do("admin", "DELETE", path+"/extra_specs/a", "").want(t, 404)
	w.do("admin", "DELETE", path, "").want(t, 202)
	w.do("admin", "GET", path, "").want(t, 404)
}

func TestTypeInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volumeType(`{"name": "gold", "extra_specs": {"a": "b"}}`)
	volume := w.volume("member", `, "volume_type": "gold"`)
	for request, body := range map[string]string{
		"POST /extra_specs":     `{"extra_specs": {"b": "2"}}`,
		"PUT /extra_specs/a":    `{"a": "1"}`,
		"DELETE /extra_specs/a": "",
		"DELETE ":               "",
	} {
		method, tail, _ := strings.Cut(request, " ")
		r := w.do("admin", method, "/v3/types/"+id+tail, body)
		if r.status != 400 || !strings.Contains(r.message(), "in use") {
			t.Errorf("%s: %d %s", request, r.status, r.body)
		}
	}
	// A new name takes the type's quota with it.
	w.do("admin", "PUT", "/v3/types/"+id, `{"volume_type": {"name": "silver"}}`).want(t, 200)
	usage := w.do("admin", "GET", "/v3/os-quota-sets/"+ownProject+"?usage=true", "").want(t, 200)
	if usage.at("quota_set", "volumes_silver", "in_use") != 1.0 || usage.at("quota_set", "volumes_gold") != nil {
		t.Error(usage.body)
	}
	if r := w.do("member", "GET", "/v3/volumes/"+volume, ""); r.at("volume", "volume_type") != "silver" {
		t.Error(r.body)
	}
}

func TestTypeRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volumeType(`{"name": "gold"}`)
	byDefault := w.do("member", "GET", "/v3/types/default", "").want(t, 200).at("volume_type", "id").(string)
	w.do("admin", "DELETE", "/v3/types/"+byDefault, "").want(t, 400)
	w.do("member", "POST", "/v3/types", `{"volume_type": {"name": "x"}}`).want(t, 403)
	w.do("admin", "GET", "/v3/types/gold", "").want(t, 404)
	for body, want := range map[string]int{
		`{"volume_type": {"name": "gold"}}`:                                                                     409,
		`{"volume_type": {"name": "  "}}`:                                                                       400,
		`{"volume_type": {"name": ""}}`:                                                                         400,
		`{"volume_type": {}}`:                                                                                   400,
		`{"volume_type": {"name": "x", "y": 1}}`:                                                                400,
		`{"volume_type": {"name": "x"}, "y": 1}`:                                                                400,
		`{"volume_type": {"name": "x", "description": "a\u0007"}}`:                                              400,
		`{"volume_type": {"name": "x", "extra_specs": {"a": 1}}}`:                                               400,
		`{"volume_type": {"name": "x", "extra_specs": {"ä": "1"}}}`:                                             400,
		`{"volume_type": {"name": "x", "extra_specs": null}}`:                                                   400,
		`{"volume_type": {"name": "` + strings.Repeat("x", 256) + `"}}`:                                         400,
		`{"volume_type": {"name": "x", "os-volume-type-access:is_public": "maybe"}}`:                            400,
		`{"volume_type": {"name": "x", "extra_specs": {"cacheable": "<is> True", "multiattach": "<is> True"}}}`: 400,
	} {
		if r := w.do("admin", "POST", "/v3/types", body); r.status != want {
			t.Errorf("create %s: %d, want %d: %s", body, r.status, want, r.body)
		}
	}
	for body, want := range map[string]int{
		`{"volume_type": {}}`:                      400,
		`{"volume_type": {"name": null}}`:          400,
		`{"volume_type": {"name": "   "}}`:         400,
		`{"volume_type": {"is_public": "x"}}`:      400,
		`{"volume_type": {"name": "__DEFAULT__"}}`: 409,
		`{"volume_type": {"description": ""}}`:     200,
	} {
		if r := w.do("admin", "PUT", "/v3/types/"+id, body); r.status != want {
			t.Errorf("update %s: %d, want %d: %s", body, r.status, want, r.body)
		}
	}
	w.do("admin", "PUT", "/v3/types/"+id+"/extra_specs/a", `{"b": "1"}`).want(t, 400)
	w.do("admin", "PUT", "/v3/types/"+id+"/extra_specs/a", `{"a": "1", "b": "1"}`).want(t, 400)
	w.do("admin", "PUT", "/v3/types/"+id+"/extra_specs/a", `{}`).want(t, 400)
	w.do("admin", "POST", "/v3/types/"+id+"/extra_specs", `{"extra_specs": {"a b": "1"}}`).want(t, 400)
	w.do("admin", "POST", "/v3/types/"+missing+"/extra_specs", `{"extra_specs": {"a": "1"}}`).want(t, 404)
}

// missing is an id that nothing has.
const missing = "99999999-9999-4999-9999-999999999999"

func TestTypeList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.volumeType(`{"name": "open", "extra_specs": {"RESKEY:availability_zones": "az1,az2", "backend": "x"}}`)
	w.volumeType(`{"name": "shut", "os-volume-type-access:is_public": false, "extra_specs": {"backend": "x"}}`)
	for request, want := range map[string]string{
		"member /types?sort=name:asc":                                      "__DEFAULT__ open",
		"member /types?sort=name:asc&is_public=false":                      "__DEFAULT__ open",
		"admin /types?sort=name:asc":                                       "__DEFAULT__ open",
		"admin /types?sort=name:asc&is_public=None":                        "__DEFAULT__ open shut",
		"admin /types?is_public=false":                                     "shut",
		"admin /types?is_public=none&name=shut":                            "shut",
		"admin /types?nope=1":                                              "",
		"member /types?name=open&sort=name:asc":                            "__DEFAULT__ open", // dropped
		"member /types?marker=" + missing + "&sort=name:asc":               "__DEFAULT__ open", // ignored
		"admin@52 /types?is_public=none&extra_specs={'backend':'x'}":       "shut open",
		"admin@51 /types?extra_specs={'backend':'y'}&sort=name:asc":        "__DEFAULT__ open",
		"member@52 /types?extra_specs={'backend':'x'}":                     "",
		`member@52 /types?extra_specs={"RESKEY:availability_zones":"az2"}`: "open",
		"member@52 /types?sort=name:asc&limit=1":                           "__DEFAULT__",
		"member@52 /types?sort=name:asc&offset=1":                          "open",
	} {
		persona, path, _ := strings.Cut(request, " ")
		r := w.do(persona, "GET", "/v3"+strings.ReplaceAll(path, `"`, "%22"), "").want(t, 200)
		if got := r.names("volume_types", "name"); got != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
		if strings.Contains(path, "limit") != (r.at("volume_type_links") != nil) {
			t.Errorf("%s: links %v", request, r.at("volume_type_links"))
		}
	}
	for request, want := range map[string]int{
		"admin /types?is_public=maybe":         400,
		"admin@52 /types?extra_specs=nonsense": 400,
		"member@52 /types?name=open":           400,
		"member@51 /types?name=open":           200,
		"member /types?sort=nope":              400,
	} {
		persona, path, _ := strings.Cut(request, " ")
		w.do(persona, "GET", "/v3"+path, "").want(t, want)
	}
}
