package builtin

import (
	"crypto/sha256"
	"slices"
	"time"

	"clinker/internal/openstack/identity"
)

// session is a valid token together with what the directory says about it.
type session struct {
	claims   *claims
	user     *user
	project  *project // nil for an unscoped token
	identity identity.Identity
	dir      *directory // of which the above are part: a newer one makes the session void
}

// sessionsKept bounds the cache: 4096 sessions take about 4 MiB.
const sessionsKept = 4096

// verify checks a token. A hit in the cache saves the signature check and still
// asks for expiry, revocation and a change of users.yaml. The fault is
// Unauthorized.
func (s *Service) verify(token string) (*session, error) {
	if err := identity.CheckForm(token); err != nil {
		return nil, err
	}
	sum := identity.Fingerprint(token)
	dir := s.store.get()
	found, ok := s.sessions.Get(sum)
	if !ok || found.dir != dir {
		var err error
		if found, err = s.open(token, sum, dir); err != nil {
			return nil, err
		}
	}
	if !time.Now().Before(found.identity.ExpiresAt) || s.revoked.has(found.claims.auditID()) {
		return nil, identity.Rejected()
	}
	return found, nil
}

func (s *Service) open(token string, sum [sha256.Size]byte, dir *directory) (*session, error) {
	c, err := parse(&s.key.PublicKey, token)
	if err != nil {
		return nil, identity.Rejected()
	}
	found := newSession(dir, c)
	if found == nil {
		return nil, identity.Rejected()
	}
	s.sessions.Add(sum, found)
	return found, nil
}

// newSession joins the claims with the directory; nil when the user or the
// project is gone, disabled, or no longer linked by a role, and when the user has
// another password than the token was given for, as in Keystone. Tokens of older
// programs do not say for which.
func newSession(dir *directory, c *claims) *session {
	u := dir.userByID[c.Subject]
	if u == nil || u.Disabled || c.Password != "" && c.Password != u.passwordMark() {
		return nil
	}
	found := &session{claims: c, user: u, dir: dir, identity: identity.Identity{
		UserID: u.ID, UserName: u.Name, UserDomainID: domainID, ExpiresAt: c.ExpiresAt.Time,
	}}
	if c.ProjectID == "" {
		return found
	}
	p := dir.projectByID[c.ProjectID]
	if p == nil || p.Disabled || len(u.Projects[p.Name]) == 0 {
		return nil
	}
	found.project = p
	found.identity.ProjectID, found.identity.ProjectName, found.identity.ProjectDomainID = p.ID, p.Name, domainID
	found.identity.Roles = u.Projects[p.Name]
	found.identity.IsAdmin = slices.Contains(found.identity.Roles, identity.RoleAdmin)
	return found
}
