package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"clinker/db"
	"clinker/internal/keys"
	"clinker/internal/keys/keystest"
)

// The views of every resource, for an administrator and for a member, at all
// microversions: a file under testdata/views has the answers at those where
// something changes, and the test fails when it changes anywhere else.

var (
	idPattern   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	timePattern = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}`)
	authPattern = regexp.MustCompile(`("auth_(?:username|password)": ?)"u?[0-9a-f]{32}"`)
)

// anonymous replaces what differs from run to run: ids by their number in the
// text, times and secrets by a word.
func anonymous(text string) string {
	numbers := map[string]string{}
	text = idPattern.ReplaceAllStringFunc(text, func(id string) string {
		if id == missing {
			return id
		}
		if numbers[id] == "" {
			numbers[id] = fmt.Sprintf("ID-%d", len(numbers)+1)
		}
		return numbers[id]
	})
	text = authPattern.ReplaceAllString(text, `$1"HEX"`)
	return timePattern.ReplaceAllString(text, "TIME")
}

// viewCase is a request whose answer is kept. body and path may depend on n,
// the number of the request.
type viewCase struct {
	name, method string
	path         func(n int) string
	body         string
}

func fixed(path string) func(int) string { return func(int) string { return path } }

func TestViews(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	for _, c := range w.viewCases() {
		for _, persona := range []string{"admin", "member"} {
			w.checkView(c, persona)
		}
	}
}

// checkView asks at every microversion and compares with the file.
func (w *world) checkView(c viewCase, persona string) {
	var seen bytes.Buffer
	last := ""
	for v := MinVersion; v <= MaxVersion; v++ {
		r := w.do(fmt.Sprintf("%s@%d", persona, v), c.method, c.path(int(v)), c.body)
		text := fmt.Sprintf("%d %s\n", r.status, http.StatusText(r.status))
		if tag := r.header.Get("Etag"); tag != "" {
			text += "Etag: " + tag + "\n"
		}
		text += pretty(w.t, anonymous(r.body))
		if text != last {
			fmt.Fprintf(&seen, "==== %s\n%s\n", v, text)
		}
		last = text
	}
	file := filepath.Join("testdata", "views", c.name+"."+persona+".txt")
	if *update {
		if err := os.WriteFile(file, seen.Bytes(), 0o644); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		w.t.Errorf("%v (run with -update)", err)
	}
	if diff := cmp.Diff(string(want), seen.String()); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// pretty indents JSON and keeps the order of its fields.
func pretty(t testing.TB, text string) string {
	if text == "" {
		return "(empty)"
	}
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out.String()
}

// fullVolume is a volume of which every field is set.
func (w *world) fullVolume() string {
	w.t.Helper()
	id := w.volume("member", `, "name": "data", "description": "kept", "metadata": {"purpose": "test"}`)
	made := w.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "instance_uuid": "`+missing+`",
		"connector": {"host": "compute1", "initiator": "iqn.1993-08.org.debian:01:x", "mountpoint": "/dev/vdb"}}}`).want(w.t, 200)
	w.do("member@44", "POST", "/v3/attachments/"+made.at("attachment", "id").(string)+"/action", `{"os-complete": {}}`).want(w.t, 204)
	key, _ := keystest.Made(w.t, w.keys, keys.Bearer{Token: "member", ProjectID: ownProject, UserID: "u"}, 256)
	_, err := w.db.Pool().Exec(w.t.Context(), `UPDATE volumes SET admin_metadata = '{"readonly": "False", "attached_mode": "rw", "secret": "no"}',
		image_metadata = '{"image_name": "debian", "min_disk": "1"}', bootable = true, encryption_key_id = $2,
		provider_id = 'p', migration_status = 'success', replication_status = 'disabled', source_volid = gen_random_uuid() WHERE id = $1`, id, key)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) viewCases() []viewCase {
	id := w.fullVolume()
	attachment := w.do("member@44", "GET", "/v3/attachments?volume_id="+id, "").at("attachments", 0, "id").(string)
	gold := w.volumeType(`{"name": "gold", "description": "fast", "extra_specs": {"volume_backend_name": "lvm", "multiattach": "<is> False"}}`)
	if _, err := w.db.Heartbeat(w.t.Context(), db.Service{Host: "control", Daemon: db.DaemonScheduler, AvailabilityZone: "nova"}); err != nil {
		w.t.Fatal(err)
	}
	message := w.failure(id)
	own := "/v3/" + ownProject
	get := func(name, path string) viewCase { return viewCase{name, "GET", fixed(path), ""} }
	snapshots := w.snapshotViews(id)
	return append(snapshots, append([]viewCase{
		get("versions.root", "/"),
		get("versions.v3", "/v3/"),
		get("volumes.list", own+"/volumes"),
		get("volumes.list-paged", own+"/volumes?limit=1&with_count=true"),
		get("volumes.detail", "/v3/volumes/detail"),
		get("volumes.show", own+"/volumes/"+id),
		get("volumes.summary", "/v3/volumes/summary"),
		get("volume_metadata.list", "/v3/volumes/"+id+"/metadata"),
		{"volumes.update", "PUT", fixed("/v3/volumes/" + id), `{"volume": {"description": "kept"}}`},
		get("attachments.list", "/v3/attachments"),
		get("attachments.show", "/v3/attachments/"+attachment),
		get("attachments.detail", "/v3/attachments/detail"),
		get("types.list", "/v3/types?sort=name:asc"),
		get("types.show", "/v3/types/"+gold),
		get("types.default", "/v3/types/default"),
		{"types.update", "PUT", fixed("/v3/types/" + gold), `{"volume_type": {"description": "fast"}}`},
		get("type_extra_specs.list", "/v3/types/"+gold+"/extra_specs"),
		get("limits.show", "/v3/limits"),
		get("quotas.show", "/v3/os-quota-sets/"+ownProject),
		get("quotas.usage", "/v3/os-quota-sets/"+ownProject+"?usage=true"),
		get("quotas.defaults", "/v3/os-quota-sets/"+ownProject+"/defaults"),
		get("quota_classes.show", "/v3/os-quota-class-sets/default"),
		get("services.list", "/v3/os-services"),
		get("pools.list", "/v3/scheduler-stats/get_pools"),
		get("pools.detail", "/v3/scheduler-stats/get_pools?detail=true"),
		get("availability_zones.list", "/v3/os-availability-zone"),
		get("messages.list", "/v3/messages"),
		get("messages.show", own+"/messages/"+message),
		get("resource_filters.list", "/v3/resource_filters"),
		{"volume_actions.initialize_connection", "POST", fixed("/v3/volumes/" + id + "/action"),
			`{"os-initialize_connection": {"connector": {"host": "compute1", "initiator": "iqn.1993-08.org.debian:01:x"}}}`},
		{"volume_actions.show_image_metadata", "POST", fixed("/v3/volumes/" + id + "/action"), `{"os-show_image_metadata": null}`},
	}, append(w.typeViews(), []viewCase{
		// Those that add rows come last.
		{"snapshots.create", "POST", fixed("/v3/snapshots"), `{"snapshot": {"volume_id": "` + id + `", "force": true, "name": "new"}}`},
		{"types.create", "POST", fixed("/v3/types"), `{"volume_type": {"name": "silver"}}`},
		{"volumes.create", "POST", fixed("/v3/volumes"), `{"volume": {"size": 2, "name": "new", "metadata": {"a": "b"}}}`},
	}...)...)...)
}
