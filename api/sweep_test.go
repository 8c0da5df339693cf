package api

import (
	"net/http/httptest"
	"strings"
	"testing"

	"clinker/db"
)

// strange are ids, values and bodies that somebody will send some day.
var (
	strangeIDs     = []string{missing, "x", "%00", "%ff%fe", "a%2Fb", "..", "%25", strings.Repeat("9", 2000), "🙂", "'%20OR%201=1--"}
	strangeQueries = []string{
		"x=%00", "limit=%ff", "name=%00", "sort=%00:asc", "marker=%00", "marker=" + missing + "&sort=name", "status=%ff", "size=9999999999999", "created_at=gt:%00", "metadata={'%5Cx00':'a'}",
		"metadata={\"a\":\"%5Cu0000\"}", "all_tenants=%00", "usage=%00", "name~=%25%5C_", "host=%00", "offset=2147483647&limit=1", "extra_specs={'a':'%5Cx00'}", "is_public=%00", "project_id=%00", "volume_type=%ff", "created_at=gt:0000-01-01", "id=x&id=y", "limit=1&limit=x",
	}
	strangeBodies = []string{
		"", "null", "{}", "[]", "1", `"x"`, "{", "\xff", `{"a": "\u0000"}`, `{"volume": null}`, `{"volume": {"size": 1e999999}}`, `{"volume": {"size": 1.5}}`, `{"volume": {"size": "2147483648"}}`, `{"volume": {"size": 2147483647}}`,
		`{"volume": {"size": 1, "name": "a\u0000b"}}`, `{"volume": {"size": 1, "metadata": {"a": "\u0000"}}}`, `{"volume": {"size": 1, "availability_zone": "\u0000"}}`, `{"volume": {"size": 1, "volume_type": "\ud800"}}`,
		`{"volume": {"name": "\ud800"}}`, `{"attachment": {"volume_uuid": "` + missing + `", "connector": {"host": "\u0000"}}}`, `{"attachment": {"connector": {"host": "h", "initiator": "i", "x": "\u0000"}}}`,
		`{"os-extend": {"new_size": 2147483647}}`, `{"os-extend": {"new_size": "99999999999"}}`, `{"os-extend": null}`, `{"os-reset_status": null}`, `{"os-detach": null}`, `{"nope": null}`, `{"volume_type": {"name": "\u0000"}}`,
		`{"volume_type": {"name": "` + missing + `"}}`, `{"extra_specs": {"a": null}}`, `{"quota_set": {"volumes": 2147483647, "gigabytes": -1}}`, `{"quota_class_set": {"volumes": "0000000001"}}`, `{"host": "x", "binary": "\u0000"}`,
		`{"metadata": {"a": "` + strings.Repeat("ü", 255) + `"}}`, `{"meta": {"x": "y"}}`, `{"volume": ` + strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000) + "}", `{"a": 1, "a": 2}`,
	}
)

// Whatever is sent, no answer is a 500: what cannot be done is the caller's
// mistake, and said so.
func TestNothingIsAnUnknownError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	id := w.volume("member", "")
	for _, r := range w.server.routes {
		for i, path := range strangePaths(r.Path, id) {
			bodies := []string{""}
			if r.takesBody() {
				bodies = []string{strangeBodies[i%len(strangeBodies)]}
			}
			if r.takesBody() && i == 0 {
				bodies = strangeBodies
			}
			for _, body := range bodies {
				w.sweep(r.Method, path, body)
			}
		}
	}
}

// strangePaths fills the parameters of a route.
func strangePaths(route, volume string) []string {
	fill := func(with string) string {
		segments := strings.Split(route, "/")
		for i, segment := range segments {
			if strings.HasPrefix(segment, ":") {
				segments[i] = with
			}
		}
		return strings.Join(segments, "/")
	}
	paths := []string{fill(volume)}
	if strings.Contains(route, ":") {
		for _, id := range strangeIDs {
			paths = append(paths, fill(id))
		}
	}
	for _, query := range strangeQueries {
		paths = append(paths, fill(volume)+"?"+query)
	}
	return paths
}

func (w *world) sweep(method, path, body string) {
	w.t.Helper()
	r := httptest.NewRequest(method, "/v3"+strings.ReplaceAll(path, `"`, "%22"), strings.NewReader(body))
	r.Header.Set("X-Auth-Token", "admin")
	r.Header.Set(versionHeader, "volume 3.71")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	got := w.send(r)
	if got.status >= 500 {
		w.t.Errorf("%s %.200s %.200q: %d %s", method, path, body, got.status, got.body)
	}
}
