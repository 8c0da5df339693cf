package builtin

import (
	"context"
	"net"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/time/rate"
)

// How many wrong passwords one address may send for one user: a burst, then one
// a second. Right passwords are never counted, so that no script is slowed, and
// nobody is locked out: after a second there is always another try.
const (
	failBurst   = 10
	failEvery   = time.Second
	failersKept = 4096
)

// logins checks passwords, a few at a time: a hash is meant to cost CPU, and a
// flood of logins must leave some for the volumes.
type logins struct {
	slots chan struct{}
	fails *lru.Cache[string, *rate.Limiter]
}

func newLogins(atOnce int) (*logins, error) {
	fails, err := lru.New[string, *rate.Limiter](failersKept)
	return &logins{slots: make(chan struct{}, atOnce), fails: fails}, err
}

// check compares the password with the hash of the user, or with one that
// nothing fits when there is no such user, so that both take the same time. who
// is the user as the request named it.
func (l *logins) check(ctx context.Context, who, address string, hash []byte, password string) error {
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return problem(http.StatusServiceUnavailable, "The login was given up before its turn came.")
	}
	key := who + "\x00" + address
	limit, ok := l.fails.Get(key)
	if ok && limit.Tokens() < 1 {
		return problem(http.StatusTooManyRequests, "Too many wrong passwords for this user from this address; try again in a second.")
	}
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil {
		l.fails.Remove(key)
		return nil
	}
	if !ok {
		limit = rate.NewLimiter(rate.Every(failEvery), failBurst)
		if other, found, _ := l.fails.PeekOrAdd(key, limit); found {
			limit = other
		}
	}
	limit.Allow()
	return errWrongPassword
}

// addressOf is the peer of the connection. What a proxy claims in a header is
// not believed: anybody could claim it.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
