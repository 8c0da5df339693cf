package keystone

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"clinker/internal/fault"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newKey(t testing.TB, dir, name string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	return key
}

// jws makes a token as Keystone's jws provider does.
func jws(t testing.TB, key *ecdsa.PrivateKey, life time.Duration) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"sub": "0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d", "iat": time.Now().Unix(),
		"exp":                 time.Now().Add(life).Unix(),
		"openstack_methods":   []string{"password"},
		"openstack_audit_ids": []string{"Xo3EYmhWQs2hpWbHl0V8Xw"}, "openstack_project_id": "p1",
	}).SignedString(key)
	require.NoError(t, err)
	return token
}

func TestJWSIsCheckedBeforeKeystoneIsAsked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := newKey(t, dir, "one.pem")
	second := newKey(t, dir, "two.pem")
	foreign := newKey(t, t.TempDir(), "foreign.pem")
	f := newFake()
	f.give("nova", time.Hour, "service")
	v := newValidator(t, f, func(c *Config) { c.JWSPublicKeys = dir })

	good := jws(t, second, time.Hour)
	f.give(good, time.Hour, "reader")
	id, err := v.Authenticate(t.Context(), good, "")
	require.NoError(t, err)
	assert.Equal(t, []string{"reader"}, id.Roles, "the roles are Keystone's")

	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"exp": time.Now().Add(time.Hour).Unix()}).
		SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	for name, bad := range map[string]string{
		"expired":   jws(t, key, -time.Minute),
		"foreign":   jws(t, foreign, time.Hour),
		"unsigned":  unsigned,
		"altered":   good[:len(good)-4] + "AAAA",
		"malformed": "eyJh.b.c",
	} {
		_, err := v.Authenticate(t.Context(), bad, "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err), name)
		assert.Zero(t, f.timesAsked(bad), name)
	}

	_, err = v.Authenticate(t.Context(), jws(t, key, time.Hour), "")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err), "a good signature admits nobody by itself")
	f.give("gAAAAABfernet", time.Hour)
	_, err = v.Authenticate(t.Context(), "gAAAAABfernet", "")
	assert.NoError(t, err, "another kind of token is Keystone's affair")

	old := jws(t, key, -time.Hour)
	f.give(old, -time.Hour)
	_, err = v.Authenticate(t.Context(), old, "nova")
	assert.NoError(t, err, "a service vouches for the expired one")
}

func TestKeysAreReadAgainWhenTheyChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	newKey(t, dir, "one.pem")
	f := newFake()
	v := newValidator(t, f, func(c *Config) { c.JWSPublicKeys = dir })

	next := newKey(t, dir, "two.pem")
	token := jws(t, next, time.Hour)
	f.give(token, time.Hour)
	_, err := v.Authenticate(t.Context(), token, "")
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken"), []byte("x"), 0o600))
	_, err = v.Authenticate(t.Context(), jws(t, newKey(t, t.TempDir(), "k"), time.Hour), "")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
	_, err = v.Authenticate(t.Context(), token, "")
	assert.NoError(t, err, "a slip in the folder leaves the good keys in use")
}

func TestOpenKeyringRefuses(t *testing.T) {
	t.Parallel()
	empty, wrong := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(wrong, "k.pem"), []byte("no key"), 0o600))
	for _, dir := range []string{empty, wrong, filepath.Join(empty, "missing")} {
		_, err := openKeyring(dir)
		assert.Equal(t, fault.Invalid, fault.CodeOf(err), dir)
	}
}

func FuzzAdmits(f *testing.F) {
	dir := f.TempDir()
	r, err := func() (*keyring, error) {
		newKey(f, dir, "k.pem")
		return openKeyring(dir)
	}()
	require.NoError(f, err)
	f.Add("eyJhbGciOiJFUzI1NiJ9.e30.AAAA", false)
	f.Add("gAAAAAB", true)
	f.Fuzz(func(t *testing.T, token string, lenient bool) {
		if r.admits(token, lenient) && looksLikeJWS(token) {
			t.Errorf("admitted %q, which the key did not sign", token)
		}
	})
}
