package builtin

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clinker/internal/fault"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokenBody(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	token := tokenOf(t, s, "demo", "demo")
	got := ask(t, s, "GET", "/v3/auth/tokens", "", "X-Auth-Token: "+token, "X-Subject-Token: "+token)
	require.Equal(t, 200, got.status)
	assert.Equal(t, token, got.header.Get("X-Subject-Token"))
	assert.Equal(t, "X-Auth-Token", got.header.Get("Vary"))
	assert.Regexp(t, `^req-[0-9a-f-]{36}$`, got.header.Get("x-openstack-request-id"))
	body := got.body["token"].(map[string]any)
	for _, name := range []string{"expires_at", "issued_at"} {
		_, err := time.Parse(timeForm, body[name].(string))
		assert.NoError(t, err, name)
		delete(body, name)
	}
	delete(body, "audit_ids")
	roles := body["roles"].([]any)
	assert.Equal(t, "member", roles[0].(map[string]any)["name"])
	delete(body, "roles")
	urls := map[string]string{}
	for _, e := range body["catalog"].([]any) {
		entry := e.(map[string]any)
		assert.Len(t, entry["endpoints"], 3)
		urls[entry["type"].(string)] = entry["endpoints"].([]any)[0].(map[string]any)["url"].(string)
	}
	assert.Equal(t, map[string]string{
		"identity":      "http://127.0.0.1:5000/v3",
		"block-storage": "http://127.0.0.1:8776/v3",
		"volumev3":      "http://127.0.0.1:8776/v3/" + demoProject,
		"image":         "http://127.0.0.1:5000/image",
		"compute":       "http://127.0.0.1:5000/compute/v2.1",
	}, urls)
	delete(body, "catalog")
	assert.Equal(t, map[string]any{
		"methods": []any{"password"}, "is_domain": false,
		"user": map[string]any{"id": demoUser, "name": "demo", "password_expires_at": nil,
			"domain": map[string]any{"id": "default", "name": "Default"}},
		"project": map[string]any{"id": demoProject, "name": "demo",
			"domain": map[string]any{"id": "default", "name": "Default"}},
	}, body)

	short := ask(t, s, "GET", "/v3/auth/tokens?nocatalog", "", "X-Auth-Token: "+token, "X-Subject-Token: "+token)
	assert.NotContains(t, short.text, "catalog")
}

func TestWhoMayValidate(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	admin, demo, nova := tokenOf(t, s, "admin", "admin"), tokenOf(t, s, "demo", "demo"), tokenOf(t, s, "nova", "service")
	for _, c := range []struct {
		name, method, caller, subject string
		status                        int
	}{
		{"own", "GET", demo, demo, 200},
		{"own, head", "HEAD", demo, demo, 200},
		{"own, other token", "GET", demo, tokenOf(t, s, "demo", ""), 200},
		{"admin", "GET", admin, demo, 200},
		{"service", "GET", nova, demo, 200},
		{"another's", "GET", demo, admin, 403},
		{"another's, revoke", "DELETE", nova, demo, 403},
		{"bad subject", "GET", admin, "rubbish", 404},
		{"bad subject, no rights", "GET", demo, "rubbish", 403},
		{"no subject", "GET", admin, "", 400},
		{"no caller", "GET", "", demo, 401},
		{"bad caller", "GET", "rubbish", demo, 401},
	} {
		got := ask(t, s, c.method, "/v3/auth/tokens", "", "X-Auth-Token: "+c.caller, "X-Subject-Token: "+c.subject)
		assert.Equal(t, c.status, got.status, "%s: %s", c.name, got.text)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	token, other := tokenOf(t, s, "demo", "demo"), tokenOf(t, s, "demo", "demo")
	got := ask(t, s, "DELETE", "/v3/auth/tokens", "", "X-Auth-Token: "+token, "X-Subject-Token: "+token)
	assert.Equal(t, 204, got.status)
	_, err := s.Authenticate(t.Context(), token, "")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
	_, err = s.Authenticate(t.Context(), other, "")
	assert.NoError(t, err)
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, func(c *Config) { c.TokenLifetime = 10 * time.Minute })
		token := tokenOf(t, s, "demo", "demo")
		s.revoked.add("an old one", time.Now().Add(time.Second))
		time.Sleep(10*time.Minute - time.Second)
		id, err := s.Authenticate(t.Context(), token, "")
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now().Add(time.Second), id.ExpiresAt, time.Second)
		time.Sleep(2 * time.Second)
		_, err = s.Authenticate(t.Context(), token, "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err), "also out of the cache")
		s.sessions.Purge()
		_, err = s.Authenticate(t.Context(), token, "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
		s.revoked.add("a new one", time.Now().Add(time.Second))
		assert.Len(t, s.revoked.until, 1, "what has expired is forgotten")
	})
}

func TestServiceToken(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	demo, nova := tokenOf(t, s, "demo", "demo"), tokenOf(t, s, "nova", "service")
	id, err := s.Authenticate(t.Context(), demo, nova)
	require.NoError(t, err)
	assert.Equal(t, []string{"service"}, id.ServiceRoles)
	id, err = s.Authenticate(t.Context(), demo, demo)
	require.NoError(t, err)
	assert.False(t, id.IsServiceRequest())
	_, err = s.Authenticate(t.Context(), demo, "rubbish")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
}

// TestTokensAreOurs: a token of another installation, and one of ours after the
// key was replaced, are worth nothing; the same key in another process is enough.
func TestTokensAreOurs(t *testing.T) {
	t.Parallel()
	s, stranger := newTestService(t), newTestService(t)
	token := tokenOf(t, s, "admin", "admin")
	_, err := stranger.Authenticate(t.Context(), token, "")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
	restarted := open(t, s.cfg.Dir)
	id, err := restarted.Authenticate(t.Context(), token, "")
	require.NoError(t, err)
	assert.True(t, id.IsAdmin)
	require.NoError(t, os.Remove(filepath.Join(s.cfg.Dir, keyFile)))
	_, err = open(t, s.cfg.Dir).Authenticate(t.Context(), token, "")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
}

func TestUsersFileIsReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t)
		token := tokenOf(t, s, "demo", "demo")
		edit := func(from, to string) {
			writePeople(t, s.cfg.Dir, strings.ReplaceAll(people, from, to))
			time.Sleep(lookEvery)
		}
		edit("{demo: [member, reader]", "{demo: [reader, auditor]")
		id, err := s.Authenticate(t.Context(), token, "")
		require.NoError(t, err)
		assert.Equal(t, []string{"reader", "auditor"}, id.Roles)

		require.NoError(t, os.WriteFile(filepath.Join(s.cfg.Dir, usersFile), []byte("users: ["), 0o600))
		time.Sleep(lookEvery)
		_, err = s.Authenticate(t.Context(), token, "")
		assert.NoError(t, err, "a slip of the editor locks nobody out")

		edit("{demo: [member, reader], closed: [member]}", "{}")
		_, err = s.Authenticate(t.Context(), token, "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err), "a token is worth what its user may do now")
	})
}

// A token ends with the password that it was given for; one of an older program, which
// does not say for which, ends by its time.
func TestAnotherPasswordEndsTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t)
		mine, theirs := tokenOf(t, s, "demo", "demo"), tokenOf(t, s, "admin", "admin")
		old := newClaims(s.store.get().userByName["demo"], demoProject, []string{"password"}, nil, time.Now().Add(time.Hour))
		old.Password = ""
		older, err := sign(s.key, old)
		require.NoError(t, err)
		writePeople(t, s.cfg.Dir, strings.ReplaceAll(people, "HASH:demo", "'"+hashOf("another")+"'"))
		time.Sleep(lookEvery)
		_, err = s.Authenticate(t.Context(), mine, "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
		got := ask(t, s, "POST", "/v3/auth/tokens", `{"auth": {"identity": {"methods": ["token"], "token": {"id": "`+mine+`"}}}}`)
		assert.Equal(t, 401, got.status, "no new token for it either")
		for _, token := range []string{theirs, older} {
			_, err = s.Authenticate(t.Context(), token, "")
			assert.NoError(t, err)
		}
	})
}

func TestAuthenticateAtOnce(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	token := tokenOf(t, s, "demo", "demo")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				s.sessions.Purge()
				_, err := s.Authenticate(t.Context(), token, "")
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
}

func FuzzAuthenticate(f *testing.F) {
	s := newTestService(f)
	good := tokenOf(f, s, "demo", "demo")
	f.Add(good[:len(good)-1])
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := s.Authenticate(t.Context(), token, ""); token != good && !fault.Is(err, fault.Unauthorized) {
			t.Errorf("%q: %v", token, err)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	s := newTestService(b)
	token := tokenOf(b, s, "demo", "demo")
	b.Run("seen", func(b *testing.B) {
		for b.Loop() {
			_, _ = s.Authenticate(b.Context(), token, "")
		}
	})
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			s.sessions.Purge()
			_, _ = s.Authenticate(b.Context(), token, "")
		}
	})
}
