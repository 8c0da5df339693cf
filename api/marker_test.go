package api

import (
	"testing"

	"clinker/db"
)

// A marker is a row whose values the page is compared with. Were another project's
// row one, its name, its size and its host could be found out by trying.
func TestMarkerOfAnotherProjectIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.volume("other", `, "name": "m"`)
	foreign := w.volume("member", `, "name": "n"`)
	w.volume("other", `, "name": "z"`)
	ids := map[string]string{"volumes": foreign, "volumes/detail": foreign}
	ids["snapshots"] = w.take(foreign)
	ids["attachments"] = w.do("member@27", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+foreign+`", "instance_uuid": "`+missing+`"}}`).want(t, 200).at("attachment", "id").(string)
	ids["volume-transfers"], _ = w.offer(w.volume("member", ""), "")
	m := db.NewVolumeMessage(db.Volume{ID: foreign, ProjectID: ownProject}, db.ActionExtendVolume, db.DetailUnknownError, "", "")
	if err := w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.InsertMessage(t.Context(), m) }); err != nil {
		t.Fatal(err)
	}
	ids["messages"] = m.ID
	for list, id := range ids {
		for _, sort := range []string{"", "&sort=created_at:asc", "&sort=id:asc,created_at:desc"} {
			w.do("other@71", "GET", "/v3/"+list+"?marker="+id+sort, "").want(t, 404)
			w.do("member@71", "GET", "/v3/"+list+"?marker="+id+sort, "").want(t, 200)
		}
	}
	w.do("other@71", "GET", "/v3/volumes?sort=name:asc&marker="+foreign, "").want(t, 404)
	w.do("admin@71", "GET", "/v3/volumes?all_tenants=1&sort=name:asc&marker="+foreign, "").want(t, 200)
}
