package builtin

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

const anyHash = "$2a$04$......................xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

func TestParseDirectoryRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"", "EOF"},
		{"users: {}", "cannot unmarshal"},
		{"folk: []", "field folk not found"},
		{"users: [{name: a, password: clear}]", "field password not found"},
		{"projects: [null]", "project 1: it has no name"},
		{"projects: [{name: a}, {id: b}]", "project 2: it has no name"},
		{"projects: [{name: a, id: A1}]", "32 hex digits"},
		{"projects: [{name: a}, {name: a}]", "taken"},
		{"users: [{name: a, password_hash: clear}]", "user 1: a: password_hash is not a bcrypt hash"},
		{"users: [{name: a}]", "not a bcrypt hash"},
		{"users: [{name: a, id: x}]", "32 hex digits"},
		{"users: [{name: a, password_hash: H, projects: {p: [member]}}]", `there is no project "p"`},
		{"projects: [{name: p}]\nusers: [{name: a, password_hash: H, projects: {p: ['']}}]", "has no name"},
		{"users: [{name: a, password_hash: H}, {name: a, password_hash: H}]", "taken"},
	} {
		_, err := parseDirectory([]byte(strings.ReplaceAll(c.text, "H", "'"+anyHash+"'")))
		require.Error(t, err, c.text)
		assert.Contains(t, err.Error(), c.want, c.text)
	}
}

// TestUnknownUserCostsTheSame: the hash that stands in for a missing user is a
// real one, as dear as the dearest.
func TestUnknownUserCostsTheSame(t *testing.T) {
	t.Parallel()
	dear := strings.Replace(anyHash, "$04$", "$07$", 1)
	d, err := parseDirectory([]byte("users: [{name: a, password_hash: '" + anyHash + "'}, {name: b, password_hash: '" + dear + "'}]"))
	require.NoError(t, err)
	cost, err := bcrypt.Cost(d.noUser)
	require.NoError(t, err)
	assert.Equal(t, 7, cost)
	assert.ErrorIs(t, bcrypt.CompareHashAndPassword(d.noUser, []byte("x")), bcrypt.ErrMismatchedHashAndPassword)
}

func FuzzParseDirectory(f *testing.F) {
	f.Add(people)
	f.Add("users: [{name: a, password_hash: '" + anyHash + "'}]")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDirectory([]byte(text))
		if err != nil {
			return
		}
		for _, u := range d.Users {
			d.projectsOf(u)
			if d.userByName[u.Name] != u || d.userByID[u.ID] != u {
				t.Errorf("user %q is not indexed", u.Name)
			}
		}
	})
}

// TestHtpasswdHashes: Apache's tool marks its bcrypt hashes with a y.
func TestHtpasswdHashes(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	require.NoError(t, err)
	text := "users: [{name: a, password_hash: '" + strings.Replace(string(hash), "$2a$", "$2y$", 1) + "'}]"
	writePeople(t, s.cfg.Dir, text)
	got := ask(t, open(t, s.cfg.Dir), "POST", "/v3/auth/tokens", passwordBody("a", "secret", ""))
	assert.Equal(t, 201, got.status, got.text)
}

func TestProjectExists(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writePeople(t, dir, people)
	s := open(t, dir)
	for id, want := range map[string]bool{demoProject: true, "demo": false, "": false} {
		if exists, err := s.ProjectExists(t.Context(), id); exists != want || err != nil {
			t.Error(id, exists, err)
		}
	}
}
