package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"clinker/db"
)

// place says where a view of fields.tsv is to be seen: the request, and the way
// to the object in its answer.
type place struct {
	method, path, body string
	way                []any
}

func (w *world) places() map[string]place {
	id := w.fullVolume()
	attachment := w.do("member@44", "GET", "/v3/attachments?volume_id="+id, "").at("attachments", 0, "id").(string)
	gold := w.volumeType(`{"name": "gold", "description": "d"}`)
	message := w.failure(id)
	if _, err := w.db.Heartbeat(w.t.Context(), db.Service{Host: "z", Daemon: db.DaemonScheduler, AvailabilityZone: "nova"}); err != nil {
		w.t.Fatal(err)
	}
	get := func(path string, way ...any) place { return place{method: "GET", path: "/v3" + path, way: way} }
	quota := "/os-quota-sets/" + ownProject
	places := map[string]place{
		"volume.summary":              get("/volumes", "volumes", 0),
		"volume.detail":               get("/volumes/"+id, "volume"),
		"volume.detail.attachments[]": get("/volumes/"+id, "volume", "attachments", 0),
		"volume.summary_totals":       get("/volumes/summary", "volume-summary"),
		"volumes.list_envelope":       get("/volumes?limit=1"),
		"attachment.summary":          get("/attachments", "attachments", 0),
		"attachment.detail":           get("/attachments/"+attachment, "attachment"),
		"type":                        get("/types/"+gold, "volume_type"),
		"types.list_envelope":         get("/types?limit=1"),
		"service":                     get("/os-services?binary=cinder-volume", "services", 0),
		"service.nonvolume":           get("/os-services?binary=cinder-scheduler", "services", 0),
		"message":                     get("/messages/"+message, "message"),
		"quota_set":                   get(quota, "quota_set"),
		"quota_set.usage.item":        get(quota+"?usage=true", "quota_set", "volumes"),
		"quota_class_set":             get("/os-quota-class-sets/default", "quota_class_set"),
		"limits":                      get("/limits", "limits"),
		"limits.absolute":             get("/limits", "limits", "absolute"),
		"availability_zone":           get("/os-availability-zone", "availabilityZoneInfo", 0),
		"resource_filter":             get("/resource_filters", "resource_filters", 0),
		"pool.summary":                get("/scheduler-stats/get_pools", "pools", 0),
		"pool.detail":                 get("/scheduler-stats/get_pools?detail=1", "pools", 0),
		"volume.encryption":           get("/volumes/" + id + "/encryption"),
		"metadata":                    get("/volumes/" + id + "/metadata"),
		"metadata.item":               {"PUT", "/v3/volumes/" + id + "/metadata/a", `{"meta": {"a": "b"}}`, nil},
		"services.update": {"PUT", "/v3/os-services/disable-log-reason",
			`{"host": "z", "binary": "cinder-scheduler", "disabled_reason": "r"}`, nil},
	}
	maps.Copy(places, w.snapshotPlaces(id))
	maps.Copy(places, w.transferPlaces())
	maps.Copy(places, w.groupTypePlaces())
	maps.Copy(places, w.typePlaces())
	maps.Copy(places, w.operatorPlaces())
	maps.Copy(places, w.servicePlaces())
	maps.Copy(places, w.groupPlaces())
	maps.Copy(places, w.backupPlaces())
	return places
}

// fieldsElsewhere are views whose rows are not names of one object's fields.
var fieldsElsewhere = []string{"version", "error", "attachment.delete", "volume.upload_image",
	"cluster.summary", "cluster.detail", "cluster.update" /* there is none */}

// Every field is there from its microversion on, for those who may see it, of
// its type, and nothing else is.
func TestContractFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	byView := map[string][]map[string]string{}
	for _, row := range rows(t, "fields") {
		byView[row["view"]] = append(byView[row["view"]], row)
		if row["note"] == "in addition to the summary fields" {
			summary := strings.TrimSuffix(row["view"], ".detail") + ".summary"
			byView[row["view"]] = append(byView[row["view"]], byView[summary]...)
		}
	}
	places := w.places()
	for view, fields := range byView {
		at, known := places[view]
		if !known {
			if !slices.Contains(fieldsElsewhere, view) {
				t.Errorf("no request shows the view %s", view)
			}
			continue
		}
		for _, persona := range []string{"admin", "member"} {
			for v := MinVersion; v <= MaxVersion; v++ {
				w.checkFields(view, at, fields, persona, v)
			}
		}
	}
}

func (w *world) checkFields(view string, at place, fields []map[string]string, persona string, v Version) {
	want := map[string]string{}
	for _, row := range fields {
		if v >= sinceOf(row["min_version"]) && (persona == "admin" || strings.HasPrefix(row["who"], "all")) {
			for name := range strings.SplitSeq(row["field"], ", ") {
				_, field, inArray := strings.Cut(name, "[].")
				if inArray {
					name = field
				}
				want[strings.ReplaceAll(name, "<type>", "__DEFAULT__")] = row["type"]
			}
		}
	}
	r := w.do(fmt.Sprintf("%s@%d", persona, v), at.method, at.path, at.body)
	if len(want) == 0 {
		if r.status != 404 && r.status != 403 {
			w.t.Errorf("%s %s at %s: %d, but the view is not for them yet", view, persona, v, r.status)
		}
		return
	}
	got, _ := r.at(at.way...).(map[string]any)
	for name, kind := range want {
		value, there := got[name]
		if !there {
			if !conditional(view, name) {
				w.t.Errorf("%s %s at %s: no field %s", view, persona, v, name)
			}
		} else if !isOf(value, kind) {
			w.t.Errorf("%s: %s is %v, not %s", view, name, value, kind)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, known := want[name]; !known && !perType(name) {
			w.t.Errorf("%s %s at %s: field %s is too much", view, persona, v, name)
		}
	}
}

// perType tells the quotas of one volume type, of which the table has a row for all.
func perType(name string) bool {
	return strings.HasSuffix(name, "_gold") || strings.HasSuffix(name, "___DEFAULT__") || numbered.MatchString(name)
}

// numbered are the quotas of types that scripts make.
var numbered = regexp.MustCompile(`^(volumes|gigabytes|snapshots)_[a-z]+-\d+$`)

// conditional fields need not be there in the one answer that is looked at.
func conditional(view, name string) bool {
	return strings.HasSuffix(view, ".list_envelope") && name == "count" || view == "volume.encryption" && name != "encryption_key_id" || view == "quota_set" && strings.HasSuffix(name, "__")
}

func isOf(value any, kinds string) bool {
	for kind := range strings.SplitSeq(kinds, "|") {
		is := false
		switch kind {
		case "string":
			_, is = value.(string)
		case "integer":
			number, isNumber := value.(float64)
			is = isNumber && number == float64(int(number))
		case "boolean":
			_, is = value.(bool)
		case "array":
			_, is = value.([]any)
		case "object":
			_, is = value.(map[string]any)
		case "null":
			is = value == nil
		}
		if is {
			return true
		}
	}
	return false
}

// Names that come from users are written as JSON writes them, whatever they are.
func FuzzQuoted(f *testing.F) {
	for _, text := range []string{"", "name", `"`, `\`, "\n", "\x00", "ü", "\xff", "</script>"} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		text := render(func(o object) {
			o.str(quoted(key), value)
			o.object("in", func(o object) { o.entry(key, value) })
			o.strings("map", map[string]string{key: value, "other": key})
			o.list("list", []string{value, key})
		})
		if !json.Valid(text) {
			t.Fatalf("%q: %s", key, text)
		}
	})
}
