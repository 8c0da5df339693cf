package keystone

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"clinker/internal/fault"

	"github.com/golang-jwt/jwt/v5"
)

// clockLeeway is how long after its expiry, by our clock, a token is still shown
// to Keystone, whose clock decides.
const clockLeeway = 30 * time.Second

// keyring is Keystone's folder of public keys. Keystone signs with one and
// verifies with all, so that keys can be changed one host at a time.
type keyring struct {
	dir string

	mu    sync.Mutex
	keys  jwt.VerificationKeySet
	state string // of the folder when it was read
}

// openKeyring reads the folder. The fault is Invalid.
func openKeyring(dir string) (*keyring, error) {
	r := &keyring{dir: dir}
	if _, err := r.reload(); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "jws_public_key_repository cannot be used: %v.", err)
	}
	return r, nil
}

// admits tells whether Keystone should be asked about the token: whenever it is
// not a JWS, and for a JWS when one of the keys signed it and it has not expired
// (which lenient leaves aside).
func (r *keyring) admits(token string, lenient bool) bool {
	if !looksLikeJWS(token) {
		return true
	}
	err := verify(token, r.current(), lenient)
	if errors.Is(err, jwt.ErrTokenSignatureInvalid) && r.changed() {
		err = verify(token, r.current(), lenient)
	}
	return err == nil
}

// looksLikeJWS: three parts, the first a JSON object in base64. A Fernet token
// has no dot.
func looksLikeJWS(token string) bool {
	return strings.HasPrefix(token, "eyJ") && strings.Count(token, ".") == 2
}

func verify(token string, keys jwt.VerificationKeySet, lenient bool) error {
	opts := []jwt.ParserOption{
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(clockLeeway),
	}
	if lenient {
		opts = append(opts, jwt.WithoutClaimsValidation())
	}
	_, err := jwt.ParseWithClaims(token, &jwt.RegisteredClaims{}, func(*jwt.Token) (any, error) { return keys, nil }, opts...)
	return err
}

func (r *keyring) current() jwt.VerificationKeySet {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys
}

// changed reads the folder again if it is not as it was. A folder that has become
// unreadable leaves the keys as they were.
func (r *keyring) changed() bool {
	fresh, err := r.reload()
	if err != nil {
		slog.WarnContext(context.Background(), "the keys for JWS tokens stay as they were", "error", err)
	}
	return fresh
}

func (r *keyring) reload() (fresh bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return false, err
	}
	state := describe(entries)
	if state == r.state {
		return false, nil
	}
	r.state = state
	keys, err := readKeys(r.dir, entries)
	if err != nil {
		return false, err
	}
	r.keys = keys
	return true, nil
}

// describe tells two states of a folder apart; "" stands for one not read yet.
func describe(entries []os.DirEntry) string {
	var b strings.Builder
	b.WriteString("read\n")
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", e.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

// readKeys takes every file for a key, as Keystone does; a file that is none is
// an error, since tokens signed by its other half would be refused.
func readKeys(dir string, entries []os.DirEntry) (jwt.VerificationKeySet, error) {
	var set jwt.VerificationKeySet
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return set, err
		}
		key, err := jwt.ParseECPublicKeyFromPEM(text)
		if err != nil {
			return set, fmt.Errorf("%s holds no public EC key in PEM", e.Name())
		}
		set.Keys = append(set.Keys, jwt.VerificationKey((*ecdsa.PublicKey)(key)))
	}
	if len(set.Keys) == 0 {
		return set, errors.New("it holds no key")
	}
	return set, nil
}
