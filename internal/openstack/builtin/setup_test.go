package builtin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

// The people of the tests: admin and demo as on a first start, nova with the
// role service, gone who is disabled. Everybody's password is their name.
const people = `
projects:
  - {name: admin, id: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}
  - {name: demo, id: dddddddddddddddddddddddddddddddd, description: to try things}
  - {name: closed, disabled: true}
  - {name: service}
users:
  - {name: admin, id: 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a, password_hash: HASH:admin, projects: {admin: [admin, member, reader]}}
  - {name: demo, id: 0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d, password_hash: HASH:demo, projects: {demo: [member, reader], closed: [member]}}
  - {name: nova, password_hash: HASH:nova, projects: {service: [service]}}
  - {name: gone, disabled: true, password_hash: HASH:gone, projects: {demo: [member]}}
`

const (
	adminProject = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	demoProject  = "dddddddddddddddddddddddddddddddd"
	demoUser     = "0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d"
)

// hashes are of the names, the same as long as the tests run: another hash is another
// password.
var hashes = sync.OnceValue(func() *strings.Replacer {
	var pairs []string
	for _, name := range []string{"admin", "demo", "nova", "gone"} {
		pairs = append(pairs, "HASH:"+name, "'"+hashOf(name)+"'")
	}
	return strings.NewReplacer(pairs...)
})

func hashOf(password string) string {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(hash)
}

func writePeople(t testing.TB, dir, text string) {
	t.Helper()
	text = hashes().Replace(text)
	require.NoError(t, os.WriteFile(filepath.Join(dir, usersFile), []byte(text), 0o600))
}

// open gives a service over dir; its URLs are fixed, since its handler is called
// without a network.
func open(t testing.TB, dir string, change ...func(*Config)) *Service {
	t.Helper()
	cfg := Config{Dir: dir, PublicURL: "http://127.0.0.1:5000", VolumeURL: "http://127.0.0.1:8776/v3"}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	require.NoError(t, err)
	return s
}

func newTestService(t testing.TB, change ...func(*Config)) *Service {
	t.Helper()
	dir := t.TempDir()
	writePeople(t, dir, people)
	return open(t, dir, change...)
}

// reply is an answer taken apart.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// ask sends a request to the handler. headers are "Name: value".
func ask(t testing.TB, s *Service, method, path, body string, headers ...string) reply {
	t.Helper()
	r := httptest.NewRequest(method, path, io.NopCloser(bytes.NewBufferString(body)))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	got := reply{status: w.Code, header: w.Header(), text: w.Body.String()}
	if w.Body.Len() > 0 && w.Header().Get("Content-Type") == "application/json" {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got.body), "%s", w.Body)
	}
	return got
}

// passwordBody is a login by name. An empty scope asks for none.
func passwordBody(user, password, scope string) string {
	if scope != "" {
		scope = `,"scope":` + scope
	}
	return fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"domain":{"id":"default"},"password":%q}}}%s}}`,
		user, password, scope)
}

func projectScope(name string) string {
	return fmt.Sprintf(`{"project":{"name":%q,"domain":{"name":"Default"}}}`, name)
}

// tokenOf logs the user in to the project, with the name as the password.
func tokenOf(t testing.TB, s *Service, user, project string) string {
	t.Helper()
	scope := ""
	if project != "" {
		scope = projectScope(project)
	}
	got := ask(t, s, "POST", "/v3/auth/tokens", passwordBody(user, user, scope))
	require.Equal(t, 201, got.status, got.text)
	return got.header.Get("X-Subject-Token")
}
