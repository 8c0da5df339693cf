package policy

import (
	"strings"
	"testing"

	"clinker/internal/fault"
)

func TestChecks(t *testing.T) {
	t.Parallel()
	member := Credentials{UserID: "u1", ProjectID: "p1", UserDomainID: "d9", Roles: []string{"Member"}, ServiceRoles: []string{"service"}}
	admin := Credentials{UserID: "u2", ProjectID: "p2", Roles: []string{"admin"}, IsAdmin: true}
	system := Credentials{UserID: "u3", SystemScope: "all", Roles: []string{"reader"}}
	mine := Target{ProjectID: "p1", UserID: "u1", Fields: map[string]string{"status": "in-use", "host": "a@b", "role": "MEMBER", "group_id": ""}}
	for _, c := range []struct {
		check string
		creds Credentials
		want  bool
	}{
		{"", member, true}, {"@", member, true}, {"!", admin, false}, {"not !", member, true}, {"not @", member, false},
		{"role:member", member, true}, {"role:MEMBER", member, true}, {"role:admin", member, false}, {"role:%(role)s", member, true},
		{"roles:Member", member, true}, {"roles:member", member, false}, {"service_roles:service", member, true}, {"service_roles:service", admin, false},
		{"is_admin:True", admin, true}, {"is_admin:True", member, false}, {"is_admin:False", member, true}, {"is_admin:1", admin, false},
		{"is_admin_project:True", member, true},
		{"user_id:%(user_id)s", member, true}, {"user_id:%(user_id)s", admin, false}, {"user_id:u2", admin, true},
		{"project_id:%(project_id)s", member, true}, {"project_id:%(project_id)s", system, false}, {"tenant:%(tenant_id)s", member, true},
		{"project_id:None", system, true}, {"project_id:None", member, false}, {"system_scope:all", system, true}, {"system_scope:None", member, true},
		{"domain_id:%(domain_id)s", member, false}, {"not domain_id:%(domain_id)s", member, true}, {"user_domain_id:d9", member, true},
		{"'in-use':%(status)s", member, true}, {`"in-use":%(status)s`, member, true}, {"'x':%(status)s", member, false}, {"'x':%(nothing)s", member, false},
		{"'a@b':%(host)s", member, true}, {"'a:b':a:b", member, true}, {"12:12", member, true}, {"12:13", member, false}, {"True:True", member, true},
		{"None:%(group_id)s", member, true}, {"None:%(domain_id)s", member, true}, {"None:%(status)s", member, false}, {"None:%(nothing)s", member, false},
		{"'p1-u1':%(project_id)s-%(user_id)s", member, true}, {"'100%':100%%", member, true}, {"'':", member, true},
		{"nonsense:x", admin, false}, {"not nonsense:x", admin, true},
		{"role:admin or role:member", member, true}, {"role:admin and role:member", member, false}, {"role:admin AND role:x Or @", member, true},
		{"role:member or role:a and role:b", member, true}, {"(role:member or role:a) and role:b", member, false},
		{"not role:admin and role:member", member, true}, {"not (role:admin or role:member)", member, false}, {"not not role:member", member, true},
		{"((role:member) and (user_id:%(user_id)s))", member, true},
	} {
		n, err := parseText(c.check)
		if err != nil {
			t.Errorf("%s: %v", c.check, err)
			continue
		}
		if got := n.holds(&c.creds, &mine); got != c.want {
			t.Errorf("%s for %v: got %v", c.check, c.creds.Roles, got)
		}
	}
}

// Two who lack a project have not the same project.
func TestNothingBelongsToNobody(t *testing.T) {
	t.Parallel()
	e := enforcer(t, "", true)
	if e.Check("volume:get", Credentials{Roles: []string{"reader", "member"}}, Target{}) {
		t.Error("a caller without project has read a thing without project")
	}
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	for check, want := range map[string]string{
		"role:a and":          "at character 11: a check is missing at the end",
		"and role:a":          `at character 1: a check is missing before "and"`,
		"role:a or or role:b": `at character 11: a check is missing before "or"`,
		"(role:a":             "at character 1: this parenthesis is not closed",
		"role:a)":             "at character 7: this parenthesis closes nothing",
		"()":                  `at character 2: a check is missing before ")"`,
		"role:a role:b":       `at character 8: "role:b" is not joined`,
		"ü:a admin":           `at character 5: "admin" is not joined`,
		"admin":               `at character 1: "admin" is not of the form kind:match`,
		":x":                  `at character 1: ":x" is not of the form`,
		"'a b':%(x)s":         `at character 1: "'a" is not of the form kind:match`,
		"'a:b":                "the quotes in \"'a\" do not match",
		"rule:":               "needs the name of a rule",
		"@ or http://x/%(y)s": "at character 6: http: checks are not made",
		"user_id:%(user_id)d": "is not of the form %(field)s",
		"user_id:%s":          "is not of the form %(field)s",
		"not":                 "at character 4: a check is missing at the end",
		strings.Repeat("(", 100) + "@" + strings.Repeat(")", 100): "more than 64 levels",
		strings.Repeat("not ", 100) + "@":                         "more than 64 levels",
		strings.Repeat("@ or ", 20000) + "@":                      "longer than",
	} {
		_, err := parseText(check)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %s", check, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, d := range Defaults() {
		f.Add(d.Check)
	}
	f.Add("not ('a:b':%(x)s or None:%(y)s-%%) and (role:a))")
	f.Add("((( @ or ! ) AND http:x")
	f.Fuzz(func(t *testing.T, check string) {
		n, err := parseText(check)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is no Invalid fault", err)
			}
			return
		}
		c := Credentials{ProjectID: "p", Roles: []string{"a"}}
		refers := false
		n.references(func(*rule) { refers = true })
		if refers {
			return
		}
		again, err := parseText("not (" + check + ")")
		if strings.TrimSpace(check) == "" || fault.Is(err, fault.Invalid) {
			return
		}
		if n.holds(&c, &Target{ProjectID: "p"}) == again.holds(&c, &Target{ProjectID: "p"}) {
			t.Fatalf("%q and its opposite agree", check)
		}
	})
}
