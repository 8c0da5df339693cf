package identity

import (
	"strings"
	"testing"

	"clinker/internal/fault"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWithService(t *testing.T) {
	t.Parallel()
	user := Identity{UserID: "u", Roles: []string{"member"}}
	nova := Identity{UserID: "n", Roles: []string{"admin", "service"}}
	other := Identity{UserID: "o", Roles: []string{"member"}}

	id, err := user.WithService(nova, []string{"service"}, true)
	require.NoError(t, err)
	assert.True(t, id.IsServiceRequest())
	assert.Equal(t, []string{"admin", "service"}, id.ServiceRoles)
	assert.False(t, id.IsAdmin, "a service token lends no rights of its own")

	id, err = user.WithService(other, []string{"service"}, false)
	require.NoError(t, err)
	assert.False(t, id.IsServiceRequest())

	_, err = user.WithService(other, []string{"service"}, true)
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
}

func TestCheckForm(t *testing.T) {
	t.Parallel()
	require.NoError(t, CheckForm("gAAAAABl"))
	for name, token := range map[string]string{
		"empty": "", "newline": "a\nb", "space": "a b", "high": "t\xffken",
		"long": strings.Repeat("a", maxTokenBytes+1),
	} {
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(CheckForm(token)), name)
	}
}

func TestNoAuth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ token, user, project string }{
		{"alice:p1", "alice", "p1"},
		{"alice", "alice", "alice"},
		{"alice:", "alice", "alice"},
		{"alice:p1:admin", "alice", "p1"},
	} {
		id, err := NoAuth{}.Authenticate(t.Context(), c.token, "")
		require.NoError(t, err, c.token)
		assert.Equal(t, c.user, id.UserID, c.token)
		assert.Equal(t, c.project, id.ProjectID, c.token)
		assert.True(t, id.IsAdmin)
		assert.False(t, id.IsServiceRequest())
	}
	id, err := NoAuth{}.Authenticate(t.Context(), "alice:p1", "nova:service")
	require.NoError(t, err)
	assert.True(t, id.IsServiceRequest())
	for _, bad := range []string{"", ":p1", ":"} {
		_, err := NoAuth{}.Authenticate(t.Context(), bad, "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err), bad)
	}
}

func TestCheckLoopback(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"127.0.0.1", "127.0.0.1:8776", "127.8.8.8:1", "::1", "[::1]", "[::1]:8776", "::ffff:127.0.0.1"} {
		assert.NoError(t, CheckLoopback(good), good)
	}
	for _, bad := range []string{"", ":8776", "0.0.0.0", "0.0.0.0:8776", "::", "[::]:8776", "10.0.0.1:8776", "localhost:8776", "example.com", "127.0.0.1.evil:1", "::ffff:10.0.0.1"} {
		err := CheckLoopback(bad)
		require.Error(t, err, bad)
		assert.Equal(t, fault.Invalid, fault.CodeOf(err), bad)
	}
}
