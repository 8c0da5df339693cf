package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"clinker/internal/fault"
)

// load makes an enforcer with a policy file of the given content.
func load(t *testing.T, name, content string, newDefaults bool) (*Enforcer, []Warning, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if content != "" {
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return New(Options{File: file, EnforceNewDefaults: newDefaults})
}

func enforcer(t *testing.T, content string, newDefaults bool) *Enforcer {
	t.Helper()
	e, _, err := load(t, "policy.yaml", content, newDefaults)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	reader := Credentials{UserID: "u", ProjectID: "p1", Roles: []string{"reader"}}
	other := Credentials{UserID: "u", ProjectID: "p2", Roles: []string{"auditor"}}
	for _, c := range []struct {
		name, file, content, rule string
		newDefaults               bool
		creds                     Credentials
		want                      bool
	}{
		{"missing file", "policy.yaml", "", "volume:get", true, reader, true},
		{"empty file", "policy.yaml", "# nothing\n", "volume:get", true, reader, true},
		{"stricter", "policy.yaml", `"volume:get": "!"`, "volume:get", true, reader, false},
		{"wider", "policy.yaml", `volume:get: role:auditor`, "volume:get", true, other, true},
		{"base rule changed", "policy.yaml", `context_is_admin: role:auditor`, "admin_api", true, other, true},
		{"own rule", "policy.yaml", "mine: role:auditor\nvolume:get: rule:mine", "volume:get", true, other, true},
		{"quoted nothing", "policy.yaml", `"volume:get": ""`, "volume:get", true, other, true},
		{"old list", "policy.yaml", `"volume:get": [["role:x", "role:auditor"], "role:auditor"]`, "volume:get", true, other, true},
		{"old list, all", "policy.yaml", `"volume:get": [["role:x", "role:auditor"]]`, "volume:get", true, other, false},
		{"empty list", "policy.yaml", `"volume:get": []`, "volume:get", true, other, true},
		{"list of empty list", "policy.yaml", `"volume:get": [[]]`, "volume:get", true, reader, false},
		{"JSON", "policy.json", "{\n\t\"volume:get\": \"role:auditor\",\n\t\"volume:get_all\": \"!\"\n}", "volume:get", true, other, true},
		{"old name", "policy.yaml", `"volume_extension:types_manage": "role:auditor"`, "volume_extension:type_create", true, other, true},
		{"old name and new", "policy.yaml", "volume_extension:types_manage: role:auditor\nvolume_extension:type_create: '!'", "volume_extension:type_create", true, other, false},
		{"old name for the new", "policy.yaml", "volume_extension:types_manage: rule:volume_extension:type_create", "volume_extension:type_create", true, other, false},
		{"old default", "policy.yaml", "", "volume_extension:type_get", false, other, true},
		{"no old default", "policy.yaml", "", "volume_extension:type_get", true, other, false},
		{"override beats old default", "policy.yaml", "volume_extension:type_get: '!'", "volume_extension:type_get", false, other, false},
		{"unknown rule", "policy.yaml", "", "volume:gett", true, Credentials{Roles: []string{"admin"}, IsAdmin: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, _, err := load(t, c.file, c.content, c.newDefaults)
			if err != nil {
				t.Fatal(err)
			}
			creds := c.creds
			creds.IsAdmin = creds.IsAdmin || e.IsAdmin(creds)
			if got := e.Check(c.rule, creds, Target{ProjectID: "p1"}); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"- a":                                       "line 1: a policy file is a mapping",
		"volume:get: role:a and":                    "line 1: volume:get: at character 11: a check is missing at the end",
		"\nvolume:get: !":                           `line 2: volume:get: no check is given; write "@" to allow everybody`,
		"volume:get:":                               "no check is given",
		"volume:get: {a: b}":                        "a check is a text or a list",
		"volume:get: [[{a: b}]]":                    "a check is a text or a list of texts",
		"volume:get: [['role:a','']]":               "a check in the list is empty",
		"volume:get: '@'\nvolume:get: '!'":          "line 2: volume:get is given twice",
		"[a]: '@'":                                  "the name of a rule is a text",
		"volume:get: rule:admin_apl":                "line 1: volume:get: at character 1: there is no rule admin_apl; did you mean admin_api?",
		"volume:get: not rule:qqqqqqqqqqq":          "at character 5: there is no rule qqqqqqqqqqq",
		"volume:get: rule:volume:get":               "volume:get: the rule leads back to itself: volume:get → volume:get",
		"a: rule:b\nb: '@ and (rule:c)'\nc: rule:a": "a: the rule leads back to itself: a → b → c → a",
		"volume:get: http://example.org/":           "http: checks are not made",
		"a: \"b":                                    "found unexpected end of stream",
	} {
		_, _, err := load(t, "policy.yaml", content, true)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", content, err, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	_, warnings, err := load(t, "policy.yaml", `
volume:gett: role:admin
mine: role:admin
volume:delete: rule:mine
unused_and_far_from_everything: "@"
volume_extension:types_manage: rule:mine
volume:create: roll:admin or role:member
volume:update: not user_id:%(owner)s and project_id:%(project_id)s
`, true)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range warnings {
		_, text, _ := strings.Cut(w.String(), "policy.yaml ")
		got = append(got, text)
	}
	want := []string{
		"line 2: volume:gett guards nothing: Cinder has no such rule and no other rule refers to it; did you mean volume:get?",
		"line 5: unused_and_far_from_everything guards nothing: Cinder has no such rule and no other rule refers to it",
		"line 6: volume_extension:types_manage is an old name; it counts for the rules that came of it, such as volume_extension:type_create",
		"line 7: volume:create compares roll, which is not known of a caller, so that check never holds; did you mean role?",
		"line 8: volume:update compares with %(owner)s, which is not known of what is acted upon (project_id and user_id are), so that check never holds",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMust(t *testing.T) {
	t.Parallel()
	e := enforcer(t, "", true)
	if e.Must("volume:get") != "volume:get" || e.Known("volume:gett") {
		t.Error("Must or Known is wrong")
	}
	defer func() {
		if r := recover(); r != "policy: there is no rule volume:gett; did you mean volume:get?" {
			t.Errorf("got %v", r)
		}
	}()
	e.Must("volume:gett")
}

// Loading the sample changes nothing, and neither does loading it with every
// line in force.
func TestSample(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Sample(&b); err != nil {
		t.Fatal(err)
	}
	want := table(enforcer(t, "", true))
	for _, content := range []string{b.String(), strings.ReplaceAll(b.String(), "\n#\"", "\n\"")} {
		e, warnings, err := load(t, "policy.yaml", content, true)
		if err != nil || len(warnings) > 0 {
			t.Fatal(err, warnings)
		}
		if diff := cmp.Diff(want, table(e)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	e := enforcer(t, "", true)
	c := Credentials{UserID: "u", ProjectID: "p1", Roles: []string{"member", "reader"}}
	target := Target{ProjectID: "p1", UserID: "u"}
	if n := testing.AllocsPerRun(100, func() {
		if !e.Check("volume:update", c, target) || e.Check("volume:force_delete", c, target) {
			t.Error("wrong answer")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCheck(b *testing.B) {
	e, _, err := New(Options{EnforceNewDefaults: true})
	if err != nil {
		b.Fatal(err)
	}
	c := Credentials{UserID: "u", ProjectID: "p1", Roles: []string{"member", "reader"}}
	target := Target{ProjectID: "p1", UserID: "u"}
	b.ReportAllocs()
	for b.Loop() {
		e.Check("volume:update", c, target)
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte("volume:get: role:admin\n"))
	f.Add([]byte(`{"volume:get": [["role:a", "rule:b"], []], "b": "@"}`))
	f.Add([]byte("a: &x rule:b\nb: *x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rules, err := parseFile("policy.yaml", data)
		if err == nil {
			_, _, err = build(Options{File: "policy.yaml"}, rules)
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%v is no Invalid fault", err)
		}
	})
}
