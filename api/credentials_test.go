package api

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"clinker/internal/openstack/identity"
	"clinker/policy"
)

// TestCredentialsSayAll: a rule may ask for everything that a token says.
func TestCredentialsSayAll(t *testing.T) {
	t.Parallel()
	c := &Call{Identity: identity.Identity{
		UserID: "u", UserName: "n", UserDomainID: "ud", ProjectID: "p", ProjectName: "pn", ProjectDomainID: "pd", DomainID: "d",
		Roles: []string{"member"}, IsAdmin: true, NotAdminProject: true, SystemScope: "all",
		ServiceUserID: "su", ServiceProjectID: "sp", ServiceRoles: []string{"service"},
	}}
	said := reflect.ValueOf(c.credentials())
	for i := range said.NumField() {
		if said.Field(i).IsZero() {
			t.Errorf("%s is not passed on", said.Type().Field(i).Name)
		}
	}
}

// TestPolicyByDomain: rules by domain allow and refuse as they are written.
func TestPolicyByDomain(t *testing.T) {
	t.Parallel()
	const here = "project_domain_id:here and not user_domain_id:guests"
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(`"volume:get_all": "`+here+`"`), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, _, err := policy.New(policy.Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	member := identity.Identity{UserID: "u", ProjectID: ownProject, Roles: []string{"member"}}
	host, guest, stranger := member, member, member
	host.ProjectDomainID, host.UserDomainID = "here", "here"
	guest.ProjectDomainID, guest.UserDomainID = "here", "guests"
	stranger.ProjectDomainID, stranger.UserDomainID = "there", "there"
	w := newWorld(t, func(o *Options) {
		o.Policy, o.Identity = rules, tokens{"host": host, "guest": guest, "stranger": stranger}
	})
	for token, status := range map[string]int{"host": 200, "guest": 403, "stranger": 403} {
		if r := w.do(token, "GET", "/v3/volumes", ""); r.status != status {
			t.Errorf("%s: got %d, want %d", token, r.status, status)
		}
	}
}
