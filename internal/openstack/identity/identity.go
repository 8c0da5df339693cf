package identity

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"clinker/internal/fault"
)

// RoleAdmin is the role that Cinder's context_is_admin rule looks for.
const RoleAdmin = "admin"

// maxTokenBytes bounds a token before anything is done with it. Fernet and JWS
// tokens stay below 1 KiB; a server that puts groups into them needs a few more.
const maxTokenBytes = 16 << 10

// Identity is what a valid token says about its bearer. Read only.
type Identity struct {
	UserID          string
	UserName        string
	UserDomainID    string
	ProjectID       string // empty unless the token is scoped to a project
	ProjectName     string
	ProjectDomainID string
	DomainID        string // of a token scoped to a domain, else empty
	Roles           []string
	IsAdmin         bool   // the token carries the role admin, in whatever scope
	NotAdminProject bool   // the identity service has an admin project, and the token is of another
	SystemScope     string // "all" for a system-scoped token, else empty

	// What the accompanying service token says; empty unless it may vouch.
	ServiceUserID    string
	ServiceProjectID string
	ServiceRoles     []string

	ExpiresAt time.Time // zero when it does not expire (noauth)
}

// Authenticator tells who a token belongs to. serviceToken is the content of
// X-Service-Token and may be empty.
//
// Errors: fault.Unauthorized when either token is missing where needed, unknown,
// expired or revoked; fault.Unavailable when the service that could tell does
// not answer. A call may be repeated, and is safe for concurrent use.
type Authenticator interface {
	Authenticate(ctx context.Context, token, serviceToken string) (Identity, error)
}

// HasRole tells whether the bearer holds the role in the token's scope.
func (id Identity) HasRole(role string) bool { return slices.Contains(id.Roles, role) }

// IsServiceRequest tells whether a service (Nova, Glance) vouches for the
// request with a token of its own. Cinder lets only such a request remove an
// attachment that a server holds.
func (id Identity) IsServiceRequest() bool { return len(id.ServiceRoles) > 0 }

// WithService gives the identity as seen through a service token: who the
// service is and its roles are kept when one of them is in allowed. Otherwise they are dropped, or,
// with required, the whole request is refused, as keystonemiddleware does
// (service_token_roles, service_token_roles_required).
func (id Identity) WithService(service Identity, allowed []string, required bool) (Identity, error) {
	for _, role := range service.Roles {
		if slices.Contains(allowed, role) {
			id.ServiceUserID, id.ServiceProjectID, id.ServiceRoles = service.UserID, service.ProjectID, service.Roles
			return id, nil
		}
	}
	if required {
		return Identity{}, fault.New(fault.Unauthorized,
			"The service token holds none of the roles that a service needs.")
	}
	return id, nil
}

// Fingerprint is the SHA-256 of a token: what caches are keyed by, so that a
// dump of memory or a log line holds no token that works.
func Fingerprint(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// CheckForm refuses, before any work, what cannot be a token: nothing at all,
// too many bytes, or bytes that no header may carry. The fault is Unauthorized.
func CheckForm(token string) error {
	if token == "" {
		return fault.New(fault.Unauthorized, "The request you have made requires authentication.")
	}
	if len(token) > maxTokenBytes || !printable(token) {
		return Rejected()
	}
	return nil
}

// Rejected is the fault for a token that is no good. It does not say why: that
// would help only somebody who guesses.
func Rejected() error {
	return fault.New(fault.Unauthorized, "The token is unknown, has expired, or was revoked.")
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
