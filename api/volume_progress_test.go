package api

import (
	"fmt"
	"testing"

	"clinker/db"
)

// An administrator sees how far the copy of a volume is, among its metadata; its
// user does not, and what is at rest has none.
func TestProgressIsShownToAdministrators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.script()
	id := s.fill("{downloading}")
	note := func(metadata string) {
		_, err := w.db.Pool().Exec(t.Context(), "INSERT INTO river_job (kind, args, metadata, max_attempts) VALUES ('volume_create', $1, $2, 25)",
			fmt.Sprintf(`{"volume_id": %q}`, id), metadata)
		if err != nil {
			t.Fatal(err)
		}
	}
	show := func(persona string) any {
		return w.do(persona, "GET", "/v3/volumes/"+id, "").want(t, 200).at("volume", "metadata")
	}
	if got := fmt.Sprint(show("admin")); got != "map[]" {
		t.Error(got)
	}
	note(`{"clinker": {"tried": []}}`)
	note(`{"clinker": {"bytes_done": 3, "bytes_total": 9}}`)
	if got := fmt.Sprint(show("admin")); got != "map[clinker:progress:33% clinker:progress_bytes:3/9]" {
		t.Error(got)
	}
	if got := fmt.Sprint(show("member")); got != "map[]" {
		t.Error(got)
	}
	s.status(id, "backing-up")
	note(`{"clinker": {"bytes_done": 4, "bytes_total": 8}}`)
	if got := fmt.Sprint(show("admin")); got != "map[clinker:progress:50% clinker:progress_bytes:4/8]" {
		t.Error(got)
	}
	s.status(id, "available")
	if got := fmt.Sprint(show("admin")); got != "map[]" {
		t.Error(got)
	}
}

// A backup shows its own, and so does the volume that it is made of.
func TestProgressOfBackups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.script()
	volume := s.fill("{free}")
	made := w.do("admin@43", "POST", "/v3/backups", fmt.Sprintf(`{"backup": {"volume_id": %q, "metadata": {"a": "b"}}}`, volume))
	id := made.want(t, 202).at("backup", "id").(string)
	if _, err := w.db.Pool().Exec(t.Context(), `UPDATE river_job SET metadata = '{"clinker": {"bytes_done": 3, "bytes_total": 4}}' WHERE args @> $1`,
		fmt.Sprintf(`{"backup_id": %q}`, id)); err != nil {
		t.Fatal(err)
	}
	const shown = "map[a:b clinker:progress:75% clinker:progress_bytes:3/4]"
	if got := fmt.Sprint(w.do("admin@43", "GET", "/v3/backups/"+id, "").want(t, 200).at("backup", "metadata")); got != shown {
		t.Error(got)
	}
	if got := fmt.Sprint(w.do("admin", "GET", "/v3/volumes/"+volume, "").want(t, 200).at("volume", "metadata")); got != shown[:4]+"a:1"+shown[7:] {
		t.Error(got)
	}
}

func TestShownProgress(t *testing.T) {
	t.Parallel()
	for p, want := range map[db.Progress]string{
		{}:                                  "",
		{BytesDone: 5}:                      "",
		{BytesTotal: 5}:                     "0%",
		{BytesDone: 1999, BytesTotal: 2000}: "99%",
		{BytesDone: 7, BytesTotal: 5}:       "100%",
		{BytesDone: -1, BytesTotal: 5}:      "0%",
		{BytesDone: 1 << 62, BytesTotal: 1<<62 + 1<<61}: "66%",
	} {
		if got := shownProgress(p)["clinker:progress"]; got != want {
			t.Errorf("%v: %q", p, got)
		}
	}
}
