package tgt

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"clinker/volumed/target"
)

// anchorPrefix begins the name of the anchor: the account that is the first of
// every target, so that no target is ever without one.
const anchorPrefix = "clinker-anchor-"

func isAnchor(user string) bool { return strings.HasPrefix(user, anchorPrefix) }

// fingerprint remembers a password without keeping it.
type fingerprint [sha256.Size]byte

func (t *Target) fingerprint(p target.Secret) (f fingerprint) {
	m := hmac.New(sha256.New, t.salt)
	m.Write([]byte(p))
	copy(f[:], m.Sum(nil))
	return f
}

// anchor gives the daemon's anchor and makes it if there is none. Its password
// is thrown away.
func (t *Target) anchor(ctx context.Context) (string, error) {
	t.anchoring.Lock()
	defer t.anchoring.Unlock()
	text, err := t.control.call(ctx, request{mode: modeAccount, op: opShow})
	if err != nil {
		return "", err
	}
	users := parseAccounts(text)
	if i := slices.IndexFunc(users, isAnchor); i >= 0 {
		return users[i], nil
	}
	user := anchorPrefix + randomWord()
	return user, t.newAccount(ctx, user, target.Secret(randomWord()))
}

func randomWord() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func (t *Target) newAccount(ctx context.Context, user string, password target.Secret) error {
	return t.control.do(ctx, request{mode: modeAccount, op: opNew,
		params: "user=" + user + ",password=" + string(password)})
}

func (t *Target) deleteAccount(ctx context.Context, user string) error {
	return t.control.do(ctx, request{mode: modeAccount, op: opDelete, params: "user=" + user}, noUser)
}

func (t *Target) bind(ctx context.Context, id int32, user string) error {
	return t.control.do(ctx, request{mode: modeAccount, op: opBind, target: id, params: "user=" + user}, userExists)
}

// unbind takes accounts from a target; bound is what it has, in the daemon's
// order. tgtd keeps them in slots and counts them, but looks only at as many
// slots from the first as it counts: a free slot before a used one hides the
// last account, and listing targets then follows a null pointer. So everything
// behind the first one to go is unbound from the end, and what stays is bound
// again. Only a login in that instant is refused; sessions are not concerned.
func (t *Target) unbind(ctx context.Context, id int32, bound []string, gone func(user string) bool) error {
	first := slices.IndexFunc(bound, gone)
	if first < 0 {
		return nil
	}
	for _, user := range slices.Backward(bound[first:]) {
		if err := t.control.do(ctx, request{mode: modeAccount, op: opUnbind, target: id, params: "user=" + user}, noUser); err != nil {
			return err
		}
	}
	for _, user := range bound[first:] {
		if gone(user) {
			continue
		}
		if err := t.bind(ctx, id, user); err != nil {
			return err
		}
	}
	return nil
}
