package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"clinker/db"
)

// operation is how to send a body of requests.tsv: one that is accepted, from
// which each row's mistakes are made. Words in braces are a script's.
type operation struct{ persona, method, path, body string }

var operations = map[string]operation{
	"volumes.create":              {"member", "POST", "/volumes", `{"volume": {"size": 1}}`},
	"volumes.update":              {"member", "PUT", "/volumes/{free}", `{"volume": {"name": "n"}}`},
	"volume_metadata.create":      {"member", "POST", "/volumes/{free}/metadata", `{"metadata": {"a": "b"}}`},
	"volume_metadata.replace":     {"member", "PUT", "/volumes/{free}/metadata", `{"metadata": {"a": "b"}}`},
	"volume_metadata.set":         {"member", "PUT", "/volumes/{free}/metadata/a", `{"meta": {"a": "b"}}`},
	"volume_actions.extend":       {"member", "POST", "/volumes/{free}/action", `{"os-extend": {"new_size": 1}}`},
	"volume_actions.reset_status": {"admin", "POST", "/volumes/{free}/action", `{"os-reset_status": {"status": "available"}}`},
	"attachments.create":          {"member", "POST", "/attachments", `{"attachment": {"volume_uuid": "{free}", "instance_uuid": "{server}"}}`},
	"attachments.update":          {"member", "PUT", "/attachments/{waiting}", `{"attachment": {"connector": {"host": "h", "initiator": "i"}}}`},
	"attachments.complete":        {"member", "POST", "/attachments/{waiting}/action", `{"os-complete": null}`},
	"types.create":                {"admin", "POST", "/types", `{"volume_type": {"name": "__DEFAULT__"}}`},
	"types.update":                {"admin", "PUT", "/types/{type}", `{"volume_type": {"description": "d"}}`},
	"type_extra_specs.create":     {"admin", "POST", "/types/{type}/extra_specs", `{"extra_specs": {"a": "b"}}`},
	"type_extra_specs.update":     {"admin", "PUT", "/types/{type}/extra_specs/a", `{"a": "b"}`},
	"quotas.update":               {"admin", "PUT", "/os-quota-sets/" + ownProject, `{"quota_set": {"volumes": -1}}`},
	"quota_classes.update":        {"admin", "PUT", "/os-quota-class-sets/c", `{"quota_class_set": {"volumes": -1}}`},
	"services.enable":             {"admin", "PUT", "/os-services/enable", `{"host": "node1@lvm", "binary": "cinder-volume"}`},
	"services.disable":            {"admin", "PUT", "/os-services/disable", `{"host": "node1@lvm", "binary": "cinder-volume"}`},
	"services.disable_log_reason": {"admin", "PUT", "/os-services/disable-log-reason", `{"host": "node1@lvm", "binary": "cinder-volume", "disabled_reason": "r"}`},
	"services.freeze":             {"admin", "PUT", "/os-services/freeze", `{"host": "node1@lvm"}`},
	"services.thaw":               {"admin", "PUT", "/os-services/thaw", `{"host": "node1@lvm"}`},
}

// values has one value of each JSON type.
var values = map[string]any{"string": "x", "integer": 7, "boolean": true, "object": map[string]any{}, "array": []any{}, "null": nil}

// mistakes makes, for one row, the values that its field must not have, by what
// is wrong with them.
func mistakes(row map[string]string) map[string]any {
	wrong := map[string]any{}
	rule, kinds := row["constraint"], strings.Split(row["type"], "|")
	for kind, value := range values {
		if row["type"] != "any" && !slices.Contains(kinds, kind) {
			wrong["of type "+kind] = value
		}
	}
	has := func(text string) bool { return strings.Contains(rule, text) }
	number := func(pattern string) int {
		found := regexp.MustCompile(pattern).FindStringSubmatch(rule)
		if found == nil {
			return -2
		}
		n, _ := strconv.Atoi(found[1])
		return n
	}
	if n := max(number(`max length (\d+)`), number(`at most (\d+) characters`)); n > 0 && slices.Contains(kinds, "string") {
		wrong["too long"] = strings.Repeat("x", n+1)
	}
	if has("min length 1") || has("not blank") {
		wrong["empty"] = ""
	}
	if has("not blank") || has("trimmed, at most") {
		wrong["blank"] = "  "
	}
	if n := number(`(?:^|; )min (-?\d+)`); n > -2 && slices.Contains(kinds, "integer") {
		wrong["too little"] = n - 1
	}
	if n := number(`(?:^|; )max (\d+)`); n > 0 && slices.Contains(kinds, "integer") {
		wrong["too much"] = n + 1
		wrong["no number"] = "x1"
	}
	if has("UUID") && row["type"] != "object|null" {
		wrong["no UUID"] = "x"
	}
	if has("one of: rw") || has("enum") {
		wrong["not in the list"] = "zzz"
	}
	if has("boolean-like") {
		wrong["no boolean"] = "maybe"
	}
	if has("printable") {
		wrong["not printable"] = "a\u0007"
	}
	if has("pattern=^[a-zA-Z0-9-._#@") {
		wrong["no host"] = "a b"
	}
	if has("no extra keys") {
		wrong["with an extra key"] = extra{}
	}
	if has("keys must match") {
		wrong["with a wrong key"] = map[string]any{"a*": "b"}
		wrong["with a long key"] = map[string]any{strings.Repeat("k", 301): "b"}
		wrong["with a wrong value"] = map[string]any{"a": []any{}}
		wrong["with a long value"] = map[string]any{"a": strings.Repeat("v", 256)}
	}
	if has("min keys 1") {
		wrong["without a key"] = map[string]any{}
	}
	if has("max keys 1") {
		wrong["with two keys"] = map[string]any{"a": "b", "c": "d"}
	}
	if row["required"] == "yes" {
		wrong["missing"] = absent{}
	}
	return wrong
}

// extra adds a key to the object that is there; absent takes it away.
type (
	extra  struct{}
	absent struct{}
)

// with gives the body with the value at the field.
func with(body, field string, value any) string {
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		panic(err)
	}
	steps := strings.Split(field, ".")
	if strings.HasPrefix(field, "OS-SCH") {
		steps = []string{field}
	}
	at := doc
	for _, step := range steps[:len(steps)-1] {
		inner, _ := at[step].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
			at[step] = inner
		}
		at = inner
	}
	last := steps[len(steps)-1]
	switch value.(type) {
	case extra:
		inner, _ := at[last].(map[string]any)
		inner = maps.Clone(inner)
		inner["zzz"] = 1
		at[last] = inner
	case absent:
		delete(at, last)
	default:
		at[last] = value
	}
	text, _ := json.Marshal(doc)
	return string(text)
}

// nullFromClients are fields that the openstack client sends as null although the
// rule wants a text.
var nullFromClients = []string{"cgsnapshot.name", "cgsnapshot.description", "consistencygroup-from-src.cgsnapshot_id", "consistencygroup-from-src.source_cgid"}

// exceptions are where a rule's text means less than it says.
func exceptional(op, field, mistake string) bool {
	switch {
	case field == "volume.size" && mistake == "of type string", // digits are a number, "x" is not
		field == "volume.multiattach" && mistake == "of type integer",
		field == "os-set_image_metadata.metadata" && mistake == "with a long value",                                                   // 65535 bytes
		slices.Contains(nullFromClients, field) && mistake == "of type null",                                                          // as the clients send what they do not have
		strings.HasPrefix(op, "group_") && !strings.Contains(field, ".") && mistake == "missing" && strings.Contains(op, "_actions."), // without its key it is another action
		field == "quota_set.<name>" && mistake != "of type null",
		field == "quota_class_set" && (mistake == "too little" || mistake == "too much" || mistake == "no number"),
		(strings.HasPrefix(field, "os-") || field == "revert" || strings.HasSuffix(field, "ProjectAccess")) && !strings.Contains(field, ".") && mistake == "missing": // without its key it is another action
		return true
	}
	return false
}

// ruleRow tells of rows about several fields at once, or a query: see errors.tsv's
// and filters.tsv's tests.
func ruleRow(row map[string]string) bool {
	return row["type"] == "rule" || row["field"] == "(top)" || strings.HasPrefix(row["field"], "?") || strings.ContainsAny(row["field"], "*<")
}

func TestContractRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	since := map[string]Version{}
	for _, r := range Routes(nil) {
		since[r.Name] = r.Since
	}
	s := w.script()
	for _, row := range rows(t, "requests") {
		op, known := operations[row["op"]]
		if !known {
			if !ruleRow(row) {
				t.Errorf("no request for %s", row["op"])
			}
			continue
		}
		if ruleRow(row) {
			continue
		}
		v := max(sinceOf(row["min_version"]), since[row["op"]])
		for mistake, value := range mistakes(row) {
			if !exceptional(row["op"], row["field"], mistake) {
				s.checkRefused(row, op, v, mistake, value)
			}
		}
	}
}

func (s *script) checkRefused(row map[string]string, op operation, v Version, mistake string, value any) {
	field := row["field"]
	body := s.fill(op.body)
	if field == "(body)" {
		whole, isObject := value.(map[string]any)
		if !isObject {
			return
		}
		raw, _ := json.Marshal(whole)
		body = string(raw)
	} else {
		body = with(body, field, value)
	}
	r := s.do(fmt.Sprintf("%s@%d", op.persona, v), op.method, "/v3"+s.fill(op.path), body)
	name := field[strings.LastIndex(field, ".")+1:]
	if r.status != 400 || (mistake != "with an extra key" && !strings.Contains(r.message(), strings.Trim(name, "()")) && len(name) > 2 && !strings.Contains(mistake, "key") && !strings.Contains(mistake, "value")) {
		s.t.Errorf("%s at %s: %s %s: %s\n\t%d %s", row["op"], v, field, mistake, body, r.status, r.body)
	}
}

// What is not wrong is accepted: the longest texts, every boolean, fields from
// their microversion on.
func TestContractRequestsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	text := strings.Repeat("ü", 255)
	for _, line := range []string{
		`member POST /volumes {"volume": {"size": "2", "name": "   ` + text + `  ", "description": null}} -> 202 "name":"` + text + `"`,
		`member POST /volumes {"volume": {"size": 1, "display_name": "d", "display_description": "e"}} -> 202 "description":"e"`,
		`member@12 POST /volumes {"volume": {"size": 1, "unheard": 1}} -> 202`,
		// Older than the fields, but no reason to make another volume than was asked for.
		`member@12 POST /volumes {"volume": {"size": 1, "group_id": "x"}} -> 404 Group x could not be found.`,
		`member@46 POST /volumes {"volume": {"size": 1, "backup_id": "x"}} -> 404 Backup x could not be found.`,
		`member POST /volumes {"volume": {"size": 1, "backup_id": ""}} -> 202`,
		`member POST /volumes {"volume": {"size": 1, "consistencygroup_id": null, "snapshot_id": null, "volume_type": null, "availability_zone": null, "metadata": {}, "imageRef": null, "source_volid": null, "backup_id": null}} -> 202`,
		`member POST /volumes {"volume": {"size": 1, "metadata": {"` + strings.Repeat("k", 255) + `": "` + text + `"}}} -> 202`,
		`member POST /volumes {"volume": {"size": 1}, "OS-SCH-HNT:scheduler_hints": {"same_host": ["{free}"], "query": "[]", "own": 1}} -> 202`,
		`member POST /volumes {"volume": {"size": 1}, "OS-SCH-HNT:scheduler_hints": null} -> 202`,
		`member POST /volumes {"volume": {"size": 1}, "OS-SCH-HNT:scheduler_hints": {"different_host": "{free}"}} -> 202`,
		`member POST /volumes {"volume": {"size": 1}, "OS-SCH-HNT:scheduler_hints": {"different_host": "x"}} -> 400 different_host`,
		`member POST /volumes {"volume": {"size": 1, "imageRef": ""}} -> 400 image`,
		`member POST /volumes {"volume": {"size": 1, "volume_type": ""}} -> 202 __DEFAULT__`,
		`member PUT /volumes/{free} {"volume": {"name": "", "metadata": {"x": "y"}}} -> 200 "name":""`,
		`member PUT /volumes/{free} {"volume": {"name": null}} -> 200`,
		`member POST /volumes/{free}/action {"os-extend": {"new_size": "3"}} -> 202`,
		`member@53 POST /volumes {"volume": {"size": 1, "unheard": 1}} -> 400 ('unheard' was unexpected)`,
		`admin PUT /os-services/enable {"host": "node1@lvm", "binary": "cinder-volume", "cluster": null} -> 200`,
		`admin PUT /os-services/freeze {"host": "node1@lvm", "cluster": "c"} -> 200`,
	} {
		if err := w.script().run(line); err != nil {
			t.Error(err)
		}
	}
	for _, value := range []string{`true`, `"True"`, `"TRUE"`, `"true"`, `"1"`, `"ON"`, `"On"`, `"on"`, `"YES"`, `"Yes"`, `"yes"`, `"y"`, `"t"`} {
		if err := w.script().run(`admin PUT /types/{type} {"volume_type": {"is_public": ` + value + `}} -> 200 "is_public":true`); err != nil {
			t.Error(err)
		}
	}
	for _, value := range []string{`false`, `"False"`, `"FALSE"`, `"false"`, `"0"`, `"OFF"`, `"Off"`, `"off"`, `"NO"`, `"No"`, `"no"`, `"n"`, `"f"`} {
		if err := w.script().run(`admin PUT /types/{type} {"volume_type": {"is_public": ` + value + `}} -> 200 "is_public":false`); err != nil {
			t.Error(err)
		}
	}
}
