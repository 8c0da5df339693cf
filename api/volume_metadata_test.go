package api

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"clinker/db"
)

// tagged sends a request with If-Match.
func (w *world) tagged(persona, method, path, body, tag string) response {
	token, version, _ := strings.Cut(persona, "@")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", token)
	r.Header.Set(versionHeader, "volume 3."+version)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("If-Match", tag)
	return w.send(r)
}

func TestMetadataLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/v3/volumes/" + w.volume("member", `, "metadata": {"a": "1"}`) + "/metadata"
	steps := []struct{ request, body, answer string }{
		{"POST ", `{"metadata": {"b": "2"}}`, `{"metadata":{"a":"1","b":"2"}}`},
		{"PUT /b", `{"meta": {"b": "3"}}`, `{"meta":{"b":"3"}}`},
		{"GET /b", "", `{"meta":{"b":"3"}}`},
		{"DELETE /a", "", ""},
		{"GET ", "", `{"metadata":{"b":"3"}}`},
		{"PUT ", `{"metadata": {"c/d": "4", "e f": "ü"}}`, `{"metadata":{"c/d":"4","e f":"ü"}}`},
		{"GET /c%2Fd", "", `{"meta":{"c/d":"4"}}`},
		{"PUT /c%2Fd", `{"meta": {"c/d": "5"}}`, `{"meta":{"c/d":"5"}}`},
		{"GET /e%20f", "", `{"meta":{"e f":"ü"}}`},
		{"DELETE /c%2fd", "", ""},
		{"PUT ", `{"metadata": {}}`, `{"metadata":{}}`},
	}
	for _, step := range steps {
		method, tail, _ := strings.Cut(step.request, " ")
		r := w.do("member", method, path+tail, step.body)
		if r.status != 200 || r.body != step.answer {
			t.Errorf("%s %s: %d %s, want %s", step.request, step.body, r.status, r.body, step.answer)
		}
	}
	w.do("other", "GET", path, "").want(t, 404)
	w.do("reader", "GET", path, "").want(t, 200)
	w.do("reader", "POST", path, `{"metadata": {"a": "b"}}`).want(t, 403)
}

func TestMetadataEtag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/v3/volumes/" + w.volume("member", `, "metadata": {"a": "1"}`) + "/metadata"
	if r := w.do("member@14", "GET", path, ""); r.header.Get("Etag") != "" || r.header.Get("Content-Type") != "application/json" {
		t.Error(r.header)
	}
	r := w.do("member@15", "GET", path, "")
	tag := r.header.Get("Etag")
	if len(tag) != 32 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		t.Error(r.header)
	}
	if r := w.tagged("member@15", "PUT", path+"/a", `{"meta": {"a": "2"}}`, `"bad"`).want(t, 412); r.body != "" {
		t.Error(r.body)
	}
	w.tagged("member@14", "PUT", path+"/a", `{"meta": {"a": "1"}}`, "bad").want(t, 200)
	w.tagged("member@15", "PUT", path, `{"metadata": {"a": "2"}}`, `"x", "`+tag+`"`).want(t, 200)
	w.tagged("member@15", "PUT", path, `{"metadata": {"a": "3"}}`, tag).want(t, 412)
	w.tagged("member@71", "PUT", path, `{"metadata": {"a": "3"}}`, "*").want(t, 200)
}

// Of many changes at once none is lost.
func TestMetadataAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/v3/volumes/" + w.volume("member", "") + "/metadata"
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			method, tail, body := "POST", "", fmt.Sprintf(`{"metadata": {"k%d": "v"}}`, i)
			if i%2 == 0 {
				method, tail, body = "PUT", fmt.Sprintf("/k%d", i), fmt.Sprintf(`{"meta": {"k%d": "v"}}`, i)
			}
			if r := w.do("member", method, path+tail, body); r.status != 200 {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	wg.Wait()
	if m := w.do("member", "GET", path, "").at("metadata").(map[string]any); len(m) != 12 {
		t.Errorf("%d of 12 are left: %v", len(m), m)
	}
}

func TestMetadataRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", `, "metadata": {"a": "1"}`)
	path := "/v3/volumes/" + id + "/metadata"
	for request, want := range map[string]struct {
		body   string
		status int
		text   string
	}{
		"PUT /a 1":   {`{"meta": {"b": "1"}}`, 400, "Request body and URI mismatch"},
		"PUT /a 2":   {`{"meta": {"a": "1", "b": "1"}}`, 400, "meta"},
		"PUT /a 3":   {`{"meta": {}}`, 400, "meta"},
		"PUT /a 4":   {`{"metadata": {"a": "1"}}`, 400, "meta"},
		"PUT /a 5":   {`{"meta": {"a": 1}}`, 400, "a"},
		"POST / 1":   {`{"metadata": null}`, 400, "metadata"},
		"POST / 2":   {`{"metadata": {"": "1"}}`, 400, ""},
		"POST / 3":   {`{"metadata": {"a*": "1"}}`, 400, "a*"},
		"POST / 4":   {`{"metadata": {"a": "` + strings.Repeat("v", 256) + `"}}`, 400, "a"},
		"POST / 5":   {`{"metadata": {"` + strings.Repeat("k", 256) + `": "v"}}`, 400, ""},
		"POST / 6":   {`{"metadata": {}, "x": 1}`, 400, "x"},
		"POST / 7":   {``, 400, "body"},
		"GET /no":    {``, 404, "has no metadata with key no."},
		"DELETE /no": {``, 404, "has no metadata with key no."},
	} {
		words := strings.Fields(request)
		r := w.do("member", words[0], path+strings.TrimSuffix(words[1], "/"), want.body)
		if r.status != want.status || !strings.Contains(r.message(), want.text) {
			t.Errorf("%s %s: %d %s", request, want.body, r.status, r.body)
		}
	}
	w.status(id, "uploading")
	for _, request := range []string{`POST  {"metadata": {"a": "2"}}`, `PUT  {"metadata": {"a": "2"}}`, `PUT /a {"meta": {"a": "2"}}`, "DELETE /a "} {
		words := strings.SplitN(request, " ", 3)
		if r := w.do("member", words[0], path+words[1], words[2]); r.status != 400 || !strings.Contains(r.message(), "not allowed for volumes in uploading status") {
			t.Errorf("%s: %d %s", request, r.status, r.body)
		}
	}
}

// status puts a volume into a status, as an administrator would.
func (w *world) status(id, status string) {
	w.t.Helper()
	err := w.db.Tx(w.t.Context(), func(tx *db.Tx) error {
		_, err := tx.MoveVolume(w.t.Context(), id, db.ResetTo(status), "", nil)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
