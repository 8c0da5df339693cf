package builtin

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBootstrap(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "identity")
	first, err := Bootstrap(dir)
	require.NoError(t, err)
	require.Len(t, first, 2)
	assert.Equal(t, "admin", first[0].User)
	assert.Equal(t, "demo", first[1].User)
	assert.GreaterOrEqual(t, len(first[0].Password), 20)
	assert.NotEqual(t, first[0].Password, first[1].Password)
	for name, mode := range map[string]fs.FileMode{"": 0o700, usersFile: 0o600, keyFile: 0o600, passwordsFile: 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), name)
	}
	users, err := os.ReadFile(filepath.Join(dir, usersFile))
	require.NoError(t, err)
	assert.NotContains(t, string(users), first[0].Password)

	second, err := Bootstrap(dir)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	s := open(t, dir)
	got := ask(t, s, "POST", "/v3/auth/tokens", passwordBody("admin", second[0].Password, projectScope("admin")))
	assert.Equal(t, 201, got.status)

	require.NoError(t, os.Remove(filepath.Join(dir, passwordsFile)))
	third, err := Bootstrap(dir)
	require.NoError(t, err)
	assert.Empty(t, third, "a removed password file is not made again: the users stay")
}

func TestBootstrapAfterACrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := Bootstrap(dir, Account{User: "a", Project: "p", Roles: []string{"member"}, Password: "given"})
	require.NoError(t, err)
	assert.Equal(t, "given", first[0].Password)
	require.NoError(t, os.Remove(filepath.Join(dir, usersFile))) // as if it had come only so far
	again, err := Bootstrap(dir)
	require.NoError(t, err)
	assert.Equal(t, first, again)
	got := ask(t, open(t, dir), "POST", "/v3/auth/tokens", passwordBody("a", "given", projectScope("p")))
	assert.Equal(t, 201, got.status)
}

func TestBootstrapAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	got := make([][]Account, 4)
	for i := range got {
		wg.Go(func() {
			var err error
			got[i], err = Bootstrap(dir)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	for _, one := range got {
		assert.Equal(t, got[0], one)
	}
	login := ask(t, open(t, dir), "POST", "/v3/auth/tokens", passwordBody("admin", got[0][0].Password, ""))
	assert.Equal(t, 201, login.status)
	left, err := filepath.Glob(filepath.Join(dir, ".new-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestNewNeedsBootstrap(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Dir: filepath.Join(t.TempDir(), "none")})
	assert.ErrorContains(t, err, "start clinker identity first")
	dir := t.TempDir()
	_, err = Bootstrap(dir)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, keyFile), []byte("no key"), 0o600))
	_, err = New(Config{Dir: dir})
	assert.ErrorContains(t, err, "no PEM block")
}
