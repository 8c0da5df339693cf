package api

import (
	"strings"
	"testing"

	"clinker/db"
)

// failure records a user message about a volume.
func (w *world) failure(volume string) string {
	w.t.Helper()
	v, err := w.db.Volume(w.t.Context(), volume, "")
	if err != nil {
		w.t.Fatal(err)
	}
	m := db.NewVolumeMessage(v, db.ActionScheduleAllocate, db.DetailNoBackendAvailable, "None of 2 pools has room for 1 GiB.", "req-"+missing)
	if err := w.db.Tx(w.t.Context(), func(tx *db.Tx) error { return tx.InsertMessage(w.t.Context(), m) }); err != nil {
		w.t.Fatal(err)
	}
	return m.ID
}

func TestMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.failure(w.volume("member", "")), w.failure(w.volume("member", ""))
	foreign := w.failure(w.volume("other", ""))
	list := func(persona, query string) string {
		return w.do(persona, "GET", "/v3/messages"+query, "").want(t, 200).names("messages", "id")
	}
	both := second + " " + first
	for request, want := range map[string]string{
		"member@3 ":                                both,
		"member@4 ?limit=1&event_id=x":             both,
		"member@4 ?marker=" + second:               first,
		"member@5 ?limit=1":                        second,
		"member@5 ?marker=" + second:               first,
		"member@5 ?sort=created_at:asc":            first + " " + second,
		"member@5 ?event_id=x":                     "",
		"member@5 ?event_id=VOLUME_VOLUME_001_003": both,
		"member@5 ?message_level=ERROR":            both,
		"member@5 ?resource_type=SNAPSHOT":         "",
		"member@5 ?request_id=req-" + missing:      both,
		"member@30 ?nonsense=1":                    both,
		"member@71 ?all_tenants=1":                 both,
		"admin@71 ":                                both,
		"admin@71 ?all_tenants=1":                  foreign + " " + both,
		"other@71 ":                                foreign,
	} {
		persona, query, _ := strings.Cut(request, " ")
		if got := list(persona, query); got != want {
			t.Errorf("%s: %s", request, got)
		}
	}
	w.do("member@31", "GET", "/v3/messages?nonsense=1", "").want(t, 400)
	w.do("member@5", "GET", "/v3/messages?sort=name", "").want(t, 400)
	w.do("member@2", "GET", "/v3/messages", "").want(t, 404)
	r := w.do("member@3", "GET", "/v3/messages/"+first, "").want(t, 200)
	if r.at("message", "user_message") != "schedule allocate volume:Could not find any available weighted backend. None of 2 pools has room for 1 GiB." {
		t.Error(r.body)
	}
	w.do("member@3", "GET", "/v3/messages/"+foreign, "").want(t, 404)
	w.do("admin@3", "GET", "/v3/messages/"+foreign, "").want(t, 200)
	w.do("reader@3", "DELETE", "/v3/messages/"+first, "").want(t, 403)
	w.do("member@3", "DELETE", "/v3/messages/"+foreign, "").want(t, 404)
	if r := w.do("member@3", "DELETE", "/v3/messages/"+first, "").want(t, 204); r.body != "" {
		t.Error(r.body)
	}
	w.do("member@3", "DELETE", "/v3/messages/"+first, "").want(t, 404)
}
