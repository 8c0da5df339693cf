package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestVolumeLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", `, "name": " data ", "metadata": {"a": "b"}`)
	shown := w.do("member@71", "GET", "/v3/volumes/"+id, "").want(t, http.StatusOK)
	if shown.at("volume", "name") != "data" || shown.at("volume", "status") != "available" {
		t.Fatal(shown.body)
	}
	w.do("other", "GET", "/v3/volumes/"+id, "").want(t, http.StatusNotFound)
	w.do("reader", "DELETE", "/v3/volumes/"+id, "").want(t, http.StatusForbidden)
	w.do("member", "PUT", "/v3/volumes/"+id, `{"volume": {"name": "new"}}`).want(t, http.StatusOK)
	w.do("member", "DELETE", "/v3/volumes/"+id, "").want(t, http.StatusAccepted)
	w.do("member", "DELETE", "/v3/volumes/"+id, "").want(t, http.StatusAccepted)
}

func TestVolumeCreateRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		`{"volume": {}}`:                                       {400, "size"},
		`{"volume": {"size": 0}}`:                              {400, "size"},
		`{"volume": {"size": "x"}}`:                            {400, "size"},
		`{"volume": {"size": -1}}`:                             {400, "size"},
		`{"volume": {"size": 1, "volume_type": "nope"}}`:       {404, "Volume type with name nope"},
		`{"volume": {"size": 1, "multiattach": true}}`:         {400, "multiattach"},
		`{"volume": {"size": 1, "availability_zone": "mars"}}`: {400, "Availability zone 'mars' is invalid."},
		`{"volume": {"size": 1, "metadata": {"k": 1}}}`:        {400, "k"},
		`{"volume": {"size": 2000}}`:                           {413, "VolumeSizeExceedsAvailableQuota"},
		`{"volume": []}`:                                       {400, "volume"},
		`{}`:                                                   {400, "volume"},
		`[]`:                                                   {400, "Malformed"},
		`{`:                                                    {400, "Malformed"},
		``:                                                     {400, "body"},
		`{"volume": {"size": 1, "source_volid": "11111111-1111-1111-1111-111111111111"}}`: {404, "could not be found"},
		`{"volume": {"size": 1, "name": "` + strings.Repeat("n", 256) + `"}}`:             {400, "name"},
	} {
		r := w.do("member", "POST", "/v3/volumes", body)
		if r.status != want.status || !strings.Contains(r.message(), want.text) {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
	w.do("member@52", "POST", "/v3/volumes", `{"volume": {"size": 1, "x": 1}}`).want(t, http.StatusAccepted)
	w.do("member@53", "POST", "/v3/volumes", `{"volume": {"size": 1, "x": 1}}`).want(t, http.StatusBadRequest)
}

// A name or description is taken away by null, whichever of its two names is used.
func TestNullTakesAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", `, "name": "n", "description": "d"`)
	snapshot := w.do("member", "POST", "/v3/snapshots", `{"snapshot": {"volume_id": "`+id+`", "name": "n", "description": "d"}}`).want(t, http.StatusAccepted).at("snapshot", "id").(string)
	for path, kind := range map[string]string{"/v3/volumes/" + id: "volume", "/v3/snapshots/" + snapshot: "snapshot"} {
		for _, body := range []string{`{"name": null, "display_name": "m"}`, `{"display_description": null}`} {
			w.do("member", "PUT", path, `{"`+kind+`": `+body+`}`).want(t, http.StatusOK)
		}
		if r := w.do("member", "GET", path, ""); r.at(kind, "name") != nil || r.at(kind, "description") != nil {
			t.Error(r.body)
		}
	}
}

func TestRouting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for request, want := range map[string]int{
		"GET /":                              300,
		"GET /v3":                            302,
		"GET /v3/":                           200,
		"GET /healthcheck":                   200,
		"GET /healthcheck/":                  200,
		"GET /v3/volumes":                    200,
		"GET /v3/volumes.json":               200,
		"GET /v3/" + ownProject + "/volumes": 200,
		"GET /v3/" + ownProject + "/volumes/detail": 200,
		"GET /v3/" + otherProject + "/volumes":      400,
		"GET /v3/XYZ/volumes":                       404,
		"GET /v3/nothing":                           404,
		"GET /v2/volumes":                           404,
		"DELETE /v3/volumes":                        404,
		"PATCH /v3/volumes":                         404,
		"HEAD /v3/volumes":                          404,
		"OPTIONS /v3/volumes":                       200,
		"GET /v3/volumes/":                          404,
		"GET //v3//volumes":                         200,
		"GET /v3/" + ownProject + "//volumes":       200,
		"GET /v3//":                                 200,
		"GET /v3/volumes//":                         404,
		"GET /v3/volumes?size=100%":                 400,
		"GET /v3/volumes/NOT-A-UUID":                404,
		"GET /v3/attachments":                       404,
		"GET /v3/volumes?limit=x":                   400,
		"GET /v3/volumes?limit=-1":                  400,
		"GET /v3/volumes?sort=size:up":              400,
		"GET /v3/volumes?sort=nope":                 400,
		"GET /v3/volumes?sort=size&sort_key=size":   400,
		"GET /v3/volumes?marker=" + "0000":          404,
	} {
		method, path, _ := strings.Cut(request, " ")
		if r := w.do("member", method, path, ""); r.status != want {
			t.Errorf("%s: %d, want %d: %s", request, r.status, want, r.body)
		}
	}
	if r := w.do("", "GET", "/v3/volumes", ""); r.status != 401 || r.header.Get("WWW-Authenticate") == "" {
		t.Errorf("no token: %d", r.status)
	}
}

func TestAttachmentLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", "")
	const server = "99999999-9999-4999-9999-999999999999"
	made := w.do("member@44", "POST", "/v3/attachments",
		`{"attachment": {"volume_uuid": "`+id+`", "instance_uuid": "`+server+`", "connector": null}}`).want(t, 200)
	attachment := made.at("attachment", "id").(string)
	status := func(want string) {
		t.Helper()
		if r := w.do("member", "GET", "/v3/volumes/"+id, ""); r.at("volume", "status") != want {
			t.Fatalf("status %v, want %s", r.at("volume", "status"), want)
		}
	}
	status("reserved")
	put := w.do("member@44", "PUT", "/v3/attachments/"+attachment,
		`{"attachment": {"connector": {"host": "h", "initiator": "iqn.1993-08.org.debian:01:x", "mountpoint": "/dev/vdb"}}}`).want(t, 200)
	if put.at("attachment", "connection_info", "auth_password") == nil {
		t.Fatal(put.body)
	}
	status("attaching")
	w.do("member@44", "POST", "/v3/attachments/"+attachment+"/action", `{"os-complete": null}`).want(t, 204)
	status("in-use")
	w.do("member", "DELETE", "/v3/volumes/"+id, "").want(t, 400)
	w.do("other@44", "GET", "/v3/attachments/"+attachment, "").want(t, 404)
	w.do("admin@44", "DELETE", "/v3/attachments/"+attachment, "").want(t, 409)
	w.do("service@44", "DELETE", "/v3/attachments/"+attachment, "").want(t, 200)
	status("available")
	if len(w.node.granted) != 0 {
		t.Error("the node still grants access")
	}
}
