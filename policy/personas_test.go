package policy

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// persona is one kind of caller.
type persona struct {
	name  string
	creds Credentials
}

// thing is what the personas act upon.
var thing = Target{ProjectID: "p1", UserID: "u-member", DomainID: "d1"}

// personas are the callers of the table, as Keystone gives roles: an admin is
// also a member, a member also a reader.
func personas(e *Enforcer) []persona {
	all := []persona{
		{"reader", Credentials{UserID: "u-reader", ProjectID: "p1", Roles: []string{"reader"}}},
		{"member", Credentials{UserID: "u-member", ProjectID: "p1", Roles: []string{"member", "reader"}}},
		{"admin", Credentials{UserID: "u-admin", ProjectID: "p0", Roles: []string{"admin", "member", "reader"}}},
		{"other_member", Credentials{UserID: "u-other", ProjectID: "p2", Roles: []string{"member", "reader"}}},
		{"no_role", Credentials{UserID: "u-none", ProjectID: "p1", Roles: []string{"auditor"}}},
		{"system_reader", Credentials{UserID: "u-sys", SystemScope: "all", Roles: []string{"reader"}}},
		{"system_admin", Credentials{UserID: "u-sysadmin", SystemScope: "all", Roles: []string{"admin", "member", "reader"}}},
		{"domain_reader", Credentials{UserID: "u-dom", DomainID: "d1", Roles: []string{"reader"}}},
		{"service", Credentials{UserID: "u-nova", ProjectID: "p-service", Roles: []string{"service"}}},
	}
	for i := range all {
		all[i].creds.IsAdmin = e.IsAdmin(all[i].creds)
	}
	return all
}

// The table of every rule for every persona is checked in, so that a change
// to a default shows who gains or loses what.
func TestPersonas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		golden      string
		newDefaults bool
	}{{"personas.tsv", true}, {"personas-old-defaults.tsv", false}} {
		t.Run(c.golden, func(t *testing.T) {
			t.Parallel()
			e := enforcer(t, "", c.newDefaults)
			golden := filepath.Join("testdata", c.golden)
			got := table(e)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("run the test with -update if this is meant; -want +got:\n%s", diff)
			}
		})
	}
}

func table(e *Enforcer) string {
	var b strings.Builder
	who := personas(e)
	b.WriteString("rule")
	for _, p := range who {
		b.WriteString("\t" + p.name)
	}
	for _, r := range e.Rules() {
		b.WriteString("\n" + r.Name)
		for _, p := range who {
			b.WriteString("\t" + map[bool]string{true: "yes", false: "-"}[e.Check(r.Name, p.creds, thing)])
		}
	}
	return b.String() + "\n"
}

// Who passes all the rules of an operation is what Cinder's API documents.
func TestOperations(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("testdata", "operations.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	passes := map[string]map[string]bool{
		"admin":  {"admin": true, "system_admin": true},
		"member": {"admin": true, "system_admin": true, "member": true},
		"reader": {"admin": true, "system_admin": true, "member": true, "reader": true},
	}
	e := enforcer(t, "", true)
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		want, ok := passes[columns[2]]
		if !ok {
			t.Fatalf("%s: nobody is called %s", columns[0], columns[2])
		}
		for _, p := range personas(e) {
			got := true
			for _, name := range strings.Fields(columns[1]) {
				got = got && e.Check(e.Must(name), p.creds, thing)
			}
			if got != want[p.name] {
				t.Errorf("%s: %s passes is %v, want %v", columns[0], p.name, got, want[p.name])
			}
		}
	}
}
