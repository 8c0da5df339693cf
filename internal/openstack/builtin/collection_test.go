package builtin

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReading(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	admin, demo := tokenOf(t, s, "admin", "admin"), tokenOf(t, s, "demo", "demo")
	member := deriveID("role", "member")
	for _, c := range []struct {
		token, path string
		status      int
		names       string // of the list's or the one thing's
	}{
		{admin, "/v3/projects", 200, "admin demo closed service"},
		{admin, "/v3/projects?name=demo", 200, "demo"},
		{admin, "/v3/projects?name=demo&domain_id=default&enabled=True", 200, "demo"},
		{admin, "/v3/projects?enabled=false", 200, "closed"},
		{admin, "/v3/projects?name=nope", 200, ""},
		{admin, "/v3/projects?domain_id=other", 200, ""},
		{admin, "/v3/projects?colour=blue", 200, "admin demo closed service"},
		{admin, "/v3/projects/" + demoProject, 200, "demo"},
		{admin, "/v3/projects/demo", 404, ""},
		{demo, "/v3/projects", 403, ""},
		{demo, "/v3/projects/" + demoProject, 200, "demo"},
		{demo, "/v3/projects/" + adminProject, 403, ""},
		{demo, "/v3/projects/nonesuch", 403, ""},
		{demo, "/v3/auth/projects", 200, "demo"},
		{demo, "/v3/users/" + demoUser + "/projects", 200, "demo"},
		{admin, "/v3/users/" + demoUser + "/projects", 200, "demo"},
		{admin, "/v3/users/nobody/projects", 404, ""},
		{demo, "/v3/users/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a/projects", 403, ""},
		{admin, "/v3/users", 200, "admin demo nova gone"},
		{admin, "/v3/users?name=nova", 200, "nova"},
		{demo, "/v3/users", 403, ""},
		{demo, "/v3/users/" + demoUser, 200, "demo"},
		{admin, "/v3/users/" + demoUser, 200, "demo"},
		{demo, "/v3/domains", 200, "Default"},
		{demo, "/v3/domains/default", 200, "Default"},
		{demo, "/v3/domains?name=Other", 200, ""},
		{admin, "/v3/roles", 200, "admin member reader service"},
		{admin, "/v3/roles?name=member", 200, "member"},
		{admin, "/v3/roles/" + member, 200, "member"},
		{demo, "/v3/roles", 403, ""},
		{admin, "/v3/services", 200, "keystone glance nova cinder cinderv3"},
		{admin, "/v3/services?type=volumev3", 200, "cinderv3"},
		{demo, "/v3/endpoints", 403, ""},
		{"", "/v3/projects", 401, ""},
		{admin, "/v3/groups", 404, ""},
		{admin, "/v2.0/tokens", 404, ""},
	} {
		got := ask(t, s, "GET", c.path, "", "X-Auth-Token: "+c.token)
		require.Equal(t, c.status, got.status, "%s: %s", c.path, got.text)
		if c.status == 200 {
			assert.Equal(t, c.names, strings.Join(namesIn(got.body), " "), c.path)
		} else {
			assert.NotNil(t, got.body["error"], c.path)
		}
	}
}

// namesIn gives the names of everything in a list, or of the one thing shown.
func namesIn(body map[string]any) []string {
	var names []string
	for key, value := range body {
		switch v := value.(type) {
		case []any:
			for _, one := range v {
				names = append(names, one.(map[string]any)["name"].(string))
			}
		case map[string]any:
			if key != "links" {
				names = append(names, v["name"].(string))
			}
		}
	}
	return names
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	admin := tokenOf(t, s, "admin", "admin")
	got := ask(t, s, "GET", "/v3/endpoints?interface=public&service_id="+deriveID("service", "volumev3"), "", "X-Auth-Token: "+admin)
	list := got.body["endpoints"].([]any)
	require.Len(t, list, 1)
	assert.Equal(t, "http://127.0.0.1:8776/v3/%(project_id)s", list[0].(map[string]any)["url"])
	got = ask(t, s, "GET", "/v3/regions/RegionOne", "", "X-Auth-Token: "+admin)
	assert.Equal(t, 200, got.status)
	unscoped := ask(t, s, "GET", "/v3/auth/catalog", "", "X-Auth-Token: "+tokenOf(t, s, "demo", ""))
	assert.Equal(t, 403, unscoped.status)
	got = ask(t, s, "GET", "/v3/auth/catalog", "", "X-Auth-Token: "+admin)
	assert.Len(t, got.body["catalog"], 5)
}

func TestWritingIsRefusedWithAReason(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	for _, c := range [][2]string{{"POST", "/v3/projects"}, {"PATCH", "/v3/users/" + demoUser}, {"DELETE", "/v3/roles/x"}} {
		got := ask(t, s, c[0], c[1], "{}")
		assert.Equal(t, 403, got.status)
		assert.Contains(t, got.text, "read-only")
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	root := ask(t, s, "GET", "/", "")
	assert.Equal(t, 300, root.status)
	values := root.body["versions"].(map[string]any)["values"].([]any)
	v3 := ask(t, s, "GET", "/v3", "")
	assert.Equal(t, 200, v3.status)
	assert.Equal(t, values[0], v3.body["version"])
	assert.Equal(t, v3.body, ask(t, s, "GET", "/v3/", "").body)
	assert.Contains(t, v3.text, `"href":"http://127.0.0.1:5000/v3/"`)
}
