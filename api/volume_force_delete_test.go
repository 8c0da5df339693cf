package api

import (
	"testing"

	"clinker/db"
)

// TestForceDeleteGivesUpTheGrowth: a volume that was to grow may be held by somebody
// and be available again. What it was to be must not count then.
func TestForceDeleteGivesUpTheGrowth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", "")
	w.do("member", "POST", "/v3/volumes/"+id+"/action", `{"os-extend": {"new_size": 5}}`).want(t, 202)
	w.do("admin", "POST", "/v3/volumes/"+id+"/action", `{"os-force_delete": null}`).want(t, 202)
	w.move(id, db.DeleteBusy)
	w.do("member", "POST", "/v3/volumes/"+id+"/action", `{"os-extend": {"new_size": 3}}`).want(t, 202)
	if got := w.usage(ownProject); got != "1 3 0 3" {
		t.Error(got)
	}
}

// TestGroupDeleteGivesUpTheGrowth is the same of a volume that goes with its group.
func TestGroupDeleteGivesUpTheGrowth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group := w.group(w.groupType(`{"name": "plain"}`))
	id := w.memberOf(group)
	w.do("member", "POST", "/v3/volumes/"+id+"/action", `{"os-extend": {"new_size": 5}}`).want(t, 202)
	w.do("member@13", "POST", "/v3/groups/"+group+"/action", `{"delete": {"delete-volumes": true}}`).want(t, 202)
	w.move(id, db.DeleteBusy)
	if got := w.usage(ownProject); got != "1 1 0 1" {
		t.Error(got)
	}
}

// move does what a job would.
func (w *world) move(id string, m db.Move) {
	w.t.Helper()
	err := w.db.Tx(w.t.Context(), func(tx *db.Tx) error {
		_, err := tx.MoveVolume(w.t.Context(), id, m, "", nil)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
