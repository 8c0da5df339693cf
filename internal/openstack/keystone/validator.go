package keystone

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"clinker/internal/fault"
	"clinker/internal/openstack/cloud"
	"clinker/internal/openstack/identity"

	"github.com/gophercloud/gophercloud/v2"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// Validator is the identity.Authenticator for auth_strategy = keystone. Safe for
// concurrent use.
type Validator struct {
	cfg     Config
	login   *cloud.Login // the service user's
	keys    *keyring     // nil: nothing is checked offline
	answers *lru.Cache[question, answer]
	flights singleflight.Group
}

var _ identity.Authenticator = (*Validator)(nil)

// question is what Keystone is asked about a token. lenient: an expired token
// will do, because a service vouches for it.
type question struct {
	token   [sha256.Size]byte
	lenient bool
}

// key is the question as a text, for singleflight.
func (q question) key() string {
	if q.lenient {
		return "expired too:" + string(q.token[:])
	}
	return string(q.token[:])
}

// answer is what Keystone said, and until when that is believed.
type answer struct {
	identity identity.Identity
	err      error // a fault.Unauthorized, or nil
	until    time.Time
}

// New checks the configuration and reads the key folder. It does not talk to
// Keystone: the service user logs in with the first token that is asked about,
// so that the two may start in any order. The fault is Invalid.
func New(cfg Config) (*Validator, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	transport, err := cfg.transport()
	if err != nil {
		return nil, err
	}
	answers, err := lru.New[question, answer](cfg.CacheSize)
	if err != nil {
		return nil, err
	}
	login := cloud.NewLogin(func(ctx context.Context) (*gophercloud.ProviderClient, error) { return connect(ctx, cfg, transport) })
	v := &Validator{cfg: cfg, login: login, answers: answers}
	if cfg.JWSPublicKeys != "" {
		if v.keys, err = openKeyring(cfg.JWSPublicKeys); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// Authenticate tells whose token it is, from memory or from Keystone. A service
// token with one of ServiceTokenRoles also lets an expired token pass, for as
// long as Keystone's allow_expired_window says: a service finishes what its user
// began hours ago.
func (v *Validator) Authenticate(ctx context.Context, token, serviceToken string) (identity.Identity, error) {
	if err := identity.CheckForm(token); err != nil {
		return identity.Identity{}, err
	}
	if serviceToken == "" {
		return v.validate(ctx, token, false)
	}
	service, err := v.service(ctx, serviceToken)
	if err != nil {
		return identity.Identity{}, err
	}
	id, err := v.validate(ctx, token, v.mayVouch(service))
	if err != nil {
		return identity.Identity{}, err
	}
	return id.WithService(service, v.cfg.ServiceTokenRoles, v.cfg.ServiceTokenRolesRequired)
}

func (v *Validator) service(ctx context.Context, token string) (identity.Identity, error) {
	err := identity.CheckForm(token)
	var service identity.Identity
	if err == nil {
		service, err = v.validate(ctx, token, false)
	}
	if fault.Is(err, fault.Unauthorized) {
		err = fault.Wrap(err, fault.Unauthorized, "The service token is unknown, has expired, or was revoked.")
	}
	return service, err
}

func (v *Validator) mayVouch(service identity.Identity) bool {
	return slices.ContainsFunc(service.Roles, func(role string) bool {
		return slices.Contains(v.cfg.ServiceTokenRoles, role)
	})
}

// validate answers from the cache, or asks, once for all who want to know the
// same. A caller that gives up leaves the question running for the others.
func (v *Validator) validate(ctx context.Context, token string, lenient bool) (identity.Identity, error) {
	q := question{identity.Fingerprint(token), lenient}
	if known, ok := v.answers.Get(q); ok && time.Now().Before(known.until) {
		return known.identity, known.err
	}
	if v.keys != nil && !v.keys.admits(token, lenient) {
		return identity.Identity{}, identity.Rejected()
	}
	asked := v.flights.DoChan(q.key(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		return v.ask(ctx, token, q)
	})
	select {
	case got := <-asked:
		if got.Err != nil {
			return identity.Identity{}, got.Err
		}
		return got.Val.(identity.Identity), nil
	case <-ctx.Done():
		return identity.Identity{}, unavailable(ctx.Err())
	}
}

// ask puts the question to Keystone and keeps a definite answer, where any is kept.
func (v *Validator) ask(ctx context.Context, token string, q question) (identity.Identity, error) {
	id, err := v.fetch(ctx, token, q.lenient)
	now := time.Now()
	if err == nil && !q.lenient && !now.Before(id.ExpiresAt) {
		id, err = identity.Identity{}, identity.Rejected()
	}
	switch {
	case v.cfg.CacheTime < 0: // asked every time
	case err == nil:
		v.answers.Add(q, answer{identity: id, until: v.believeUntil(now, id.ExpiresAt)})
	case fault.Is(err, fault.Unauthorized):
		v.answers.Add(q, answer{err: err, until: now.Add(refusalTime)})
	}
	return id, err
}

// believeUntil never goes past the expiry, unless that has passed already and a
// service vouches.
func (v *Validator) believeUntil(now, expires time.Time) time.Time {
	until := now.Add(v.cfg.CacheTime)
	if expires.After(now) && expires.Before(until) {
		return expires
	}
	return until
}
