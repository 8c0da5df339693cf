package api

import (
	"slices"
	"strings"
	"testing"
)

// An extension is announced when, and only when, its operation is there.
func TestExtensions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aliases := strings.Fields(w.do("reader", "GET", "/v3/extensions", "").want(t, 200).names("extensions", "alias"))
	for _, e := range extensions {
		served := slices.ContainsFunc(w.server.routes, func(r Route) bool { return r.Name == e.operation })
		if slices.Contains(aliases, e.alias) != served {
			t.Errorf("%s announced: %v", e.alias, !served)
		}
		want := 404
		if served {
			want = 200
		}
		r := w.do("reader", "GET", "/v3/extensions/"+e.alias, "").want(t, want)
		if served && (r.at("extension", "alias") != e.alias || r.at("extension", "links") == nil) {
			t.Error(r.body)
		}
	}
	if !slices.IsSorted(aliases) || !slices.Contains(aliases, "os-quota-sets") {
		t.Error(aliases)
	}
}
