package builtin

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoginRefusals(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	token := tokenOf(t, s, "demo", "")
	method := func(name, rest string) string {
		return fmt.Sprintf(`{"auth":{"identity":{"methods":[%q]%s}}}`, name, rest)
	}
	user := func(u string) string { return method("password", `,"password":{"user":`+u+`}`) }
	for _, c := range []struct {
		name, body string
		status     int
		message    string
	}{
		{"empty", ``, 400, "not valid JSON"},
		{"no JSON", `{`, 400, "not valid JSON"},
		{"null", `null`, 400, "find auth"},
		{"list", `[]`, 400, "must not be a JSON array"},
		{"no identity", `{"auth":{}}`, 400, "find identity"},
		{"no methods", `{"auth":{"identity":{}}}`, 400, "find methods"},
		{"methods a word", `{"auth":{"identity":{"methods":"password"}}}`, 400, "auth.identity.methods must not be a JSON string"},
		{"two methods", `{"auth":{"identity":{"methods":["password","totp"]}}}`, 400, "one method"},
		{"other method", method("totp", ""), 401, "unsupported method"},
		{"no password", method("password", ""), 400, "password.user"},
		{"no user", method("password", `,"password":{}`), 400, "password.user"},
		{"no name", user(`{"password":"x"}`), 400, "id or name"},
		{"no domain", user(`{"name":"demo","password":"demo"}`), 400, "find domain"},
		{"password a number", user(`{"name":"demo","password":12345}`), 400, "auth.identity.password.user.password must not be a JSON number"},
		{"other domain", user(`{"name":"demo","domain":{"name":"Other"},"password":"demo"}`), 401, "requires authentication"},
		{"wrong password", passwordBody("demo", "nope", ""), 401, "requires authentication"},
		{"no password given", user(`{"name":"demo","domain":{"id":"default"}}`), 401, "requires authentication"},
		{"unknown user", passwordBody("nobody", "demo", ""), 401, "requires authentication"},
		{"unknown id", user(`{"id":"ffff","password":"demo"}`), 401, "requires authentication"},
		{"disabled user", passwordBody("gone", "gone", ""), 401, "requires authentication"},
		{"long password", passwordBody("demo", strings.Repeat("x", 5000), ""), 401, "requires authentication"},
		{"no token", method("token", ""), 400, "token.id"},
		{"bad token", method("token", `,"token":{"id":"x"}`), 401, "unknown, has expired, or was revoked"},
		{"altered token", method("token", `,"token":{"id":"`+token[:len(token)-3]+`AAA"}`), 401, "unknown"},
		{"system scope", passwordBody("admin", "admin", `{"system":{"all":true}}`), 401, "project only"},
		{"domain scope", passwordBody("admin", "admin", `{"domain":{"id":"default"}}`), 401, "project only"},
		{"system scope, wrong password", passwordBody("admin", "nope", `{"system":{"all":true}}`), 401, "requires authentication"},
		{"empty scope", passwordBody("demo", "demo", `{}`), 400, "find project"},
		{"scope a number", passwordBody("demo", "demo", `7`), 400, "must not be a JSON number"},
		{"project without name", passwordBody("demo", "demo", `{"project":{}}`), 400, "id or name"},
		{"project without domain", passwordBody("demo", "demo", `{"project":{"name":"demo"}}`), 400, "find domain"},
		{"no role there", passwordBody("demo", "demo", projectScope("admin")), 401, "requires authentication"},
		{"no such project", passwordBody("demo", "demo", projectScope("nope")), 401, "requires authentication"},
		{"disabled project", passwordBody("demo", "demo", projectScope("closed")), 401, "requires authentication"},
		{"project of another domain", passwordBody("demo", "demo", `{"project":{"name":"demo","domain":{"id":"x"}}}`), 401, "requires authentication"},
		{"too long", passwordBody(strings.Repeat("x", maxBodyBytes), "x", ""), 413, "longer than 114688 bytes"},
	} {
		got := ask(t, s, "POST", "/v3/auth/tokens", c.body)
		assert.Equal(t, c.status, got.status, c.name)
		assert.Empty(t, got.header.Get("X-Subject-Token"), c.name)
		fault, ok := got.body["error"].(map[string]any)
		if assert.True(t, ok, "%s: %s", c.name, got.text) {
			assert.EqualValues(t, c.status, fault["code"], c.name)
			assert.NotEmpty(t, fault["title"], c.name)
			assert.Contains(t, fault["message"], c.message, c.name)
		}
		if c.status == 401 {
			assert.Equal(t, `Keystone uri="http://127.0.0.1:5000"`, got.header.Get("WWW-Authenticate"), c.name)
		}
	}
}

func TestLoginForms(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	byID := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"` + demoUser + `","password":"demo"}}},"scope":{"project":{"id":"` + demoProject + `"}}}}`
	for name, c := range map[string]struct{ body, project string }{
		"by id":           {byID, demoProject},
		"by name":         {passwordBody("demo", "demo", projectScope("demo")), demoProject},
		"no scope":        {passwordBody("demo", "demo", ""), ""},
		"unscoped":        {passwordBody("demo", "demo", `"unscoped"`), ""},
		"unscoped object": {passwordBody("demo", "demo", `{"unscoped":{}}`), ""},
		"null scope":      {passwordBody("demo", "demo", `null`), ""},
	} {
		got := ask(t, s, "POST", "/v3/auth/tokens", c.body)
		require.Equal(t, 201, got.status, "%s: %s", name, got.text)
		id, err := s.Authenticate(t.Context(), got.header.Get("X-Subject-Token"), "")
		require.NoError(t, err, name)
		assert.Equal(t, demoUser, id.UserID, name)
		assert.Equal(t, c.project, id.ProjectID, name)
		token := got.body["token"].(map[string]any)
		assert.Equal(t, c.project != "", token["catalog"] != nil, name)
	}
}

func TestTokenFromToken(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	first := ask(t, s, "POST", "/v3/auth/tokens", passwordBody("demo", "demo", ""))
	body := fmt.Sprintf(`{"auth":{"identity":{"methods":["token"],"token":{"id":%q}},"scope":%s}}`,
		first.header.Get("X-Subject-Token"), projectScope("demo"))
	second := ask(t, s, "POST", "/v3/auth/tokens", body)
	require.Equal(t, 201, second.status, second.text)
	was, is := first.body["token"].(map[string]any), second.body["token"].(map[string]any)
	assert.Equal(t, was["expires_at"], is["expires_at"], "a new token never lives longer than its parent")
	assert.Equal(t, []any{"password", "token"}, is["methods"])
	assert.Equal(t, was["audit_ids"].([]any)[0], is["audit_ids"].([]any)[1])
}

func TestWrongPasswordsAreSlowedOneUserAndAddressAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // time stands still while a password is hashed
		s := newTestService(t)
		guess := func() reply { return ask(t, s, "POST", "/v3/auth/tokens", passwordBody("demo", "guess", "")) }
		for range failBurst {
			require.Equal(t, 401, guess().status)
		}
		got := guess()
		assert.Equal(t, 429, got.status)
		assert.Equal(t, "1", got.header.Get("Retry-After"))
		time.Sleep(failEvery)
		assert.Equal(t, 401, guess().status)
		assert.Equal(t, 429, guess().status)
		tokenOf(t, s, "admin", "admin")
		for range 3 * failBurst {
			tokenOf(t, s, "admin", "admin") // right passwords are not counted
		}
	})
}

// FuzzLogin: whatever the body, the answer is JSON in Keystone's shape and no
// 500, and nobody gets a token without the password.
func FuzzLogin(f *testing.F) {
	s := newTestService(f)
	f.Add(passwordBody("demo", "nope", projectScope("demo")))
	f.Add(`{"auth":{"identity":{"methods":["token"],"token":{"id":"x"}},"scope":"unscoped"}}`)
	f.Add(`{"auth":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		got := ask(t, s, "POST", "/v3/auth/tokens", body)
		if got.status == 201 && strings.Contains(body, "demo") || got.status == 201 && strings.Contains(body, "admin") {
			return // it found the password, which is the name
		}
		if got.status < 400 || got.status >= 500 || got.body["error"] == nil {
			t.Errorf("%d %s", got.status, got.text)
		}
	})
}
