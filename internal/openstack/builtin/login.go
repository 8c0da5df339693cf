package builtin

import (
	"bytes"
	"net/http"
	"slices"
	"time"

	"clinker/internal/openstack/identity"
)

// proof is what a login method has shown.
type proof struct {
	user    *user
	methods []string
	chain   []string  // audit id of the token it came from, if any
	expires time.Time // of the token to be
}

// login is POST /v3/auth/tokens. The scope is looked at only after the user has
// been proven, so that nobody else learns which projects there are.
func (s *Service) login(w http.ResponseWriter, r *http.Request) error {
	req, err := readAuthRequest(r)
	if err != nil {
		return err
	}
	dir := s.store.get()
	p, err := s.prove(r, dir, req)
	if err != nil {
		return err
	}
	target, err := scopeOf(dir, p.user, req.Auth.Scope)
	if err != nil {
		return err
	}
	projectID := ""
	if target != nil {
		projectID = target.ID
	}
	c := newClaims(p.user, projectID, p.methods, p.chain, p.expires)
	found := newSession(dir, c)
	if found == nil {
		return errWrongPassword
	}
	token, err := sign(s.key, c)
	if err != nil {
		return err
	}
	s.sessions.Add(identity.Fingerprint(token), found)
	w.Header().Set("X-Subject-Token", token)
	answer(w, http.StatusCreated, s.tokenBody(r, found))
	return nil
}

func (s *Service) prove(r *http.Request, dir *directory, req *authRequest) (*proof, error) {
	methods := req.Auth.Identity.Methods
	switch {
	case len(methods) > 1:
		return nil, problem(http.StatusBadRequest, "auth.identity.methods must name one method, password or token.")
	case methods[0] == "password":
		return s.provePassword(r, dir, req)
	case methods[0] == "token":
		return s.proveToken(req)
	default:
		return nil, problem(http.StatusUnauthorized, "Attempted to authenticate with an unsupported method.")
	}
}

func (s *Service) provePassword(r *http.Request, dir *directory, req *authRequest) (*proof, error) {
	if req.Auth.Identity.Password == nil || req.Auth.Identity.Password.User == nil {
		return nil, problem(http.StatusBadRequest, "Expecting to find password.user in auth.identity.")
	}
	ref := req.Auth.Identity.Password.User
	switch {
	case ref.ID == "" && ref.Name == "":
		return nil, problem(http.StatusBadRequest, "Expecting to find id or name in auth.identity.password.user.")
	case ref.ID == "" && ref.Domain.missing():
		return nil, problem(http.StatusBadRequest, "Expecting to find domain in auth.identity.password.user.")
	}
	u := dir.find(ref)
	hash, who := dir.noUser, "id "+ref.ID+" name "+ref.Name
	if u != nil {
		hash, who = []byte(u.PasswordHash), u.ID
	}
	if err := s.logins.check(r.Context(), who, addressOf(r), hash, ref.Password); err != nil {
		return nil, err
	}
	if u == nil || u.Disabled {
		return nil, errWrongPassword
	}
	return &proof{user: u, methods: []string{"password"}, expires: time.Now().Add(s.cfg.TokenLifetime)}, nil
}

// find gives the user that the reference names, or nil.
func (d *directory) find(ref *userRef) *user {
	if ref.ID != "" {
		return d.userByID[ref.ID]
	}
	if !ref.Domain.isOurs() {
		return nil
	}
	return d.userByName[ref.Name]
}

// proveToken makes a new token out of one; it ends when that one would.
func (s *Service) proveToken(req *authRequest) (*proof, error) {
	if req.Auth.Identity.Token == nil || req.Auth.Identity.Token.ID == "" {
		return nil, problem(http.StatusBadRequest, "Expecting to find token.id in auth.identity.")
	}
	old, err := s.verify(req.Auth.Identity.Token.ID)
	if err != nil {
		return nil, err
	}
	methods := slices.Clone(old.claims.Methods)
	if !slices.Contains(methods, "token") {
		methods = append(methods, "token")
	}
	first := old.claims.AuditIDs[len(old.claims.AuditIDs)-1]
	return &proof{user: old.user, methods: methods, chain: []string{first}, expires: old.identity.ExpiresAt}, nil
}

// scopeOf gives the project a token is asked for, nil for an unscoped one.
func scopeOf(dir *directory, u *user, raw []byte) (*project, error) {
	if text := string(bytes.TrimSpace(raw)); text == "" || text == "null" || text == `"unscoped"` {
		return nil, nil
	}
	var req scopeRequest
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	switch {
	case req.System != nil || req.Domain != nil || req.Trust != nil:
		return nil, problem(http.StatusUnauthorized,
			"The built-in identity gives tokens scoped to a project only, not to the system, a domain or a trust.")
	case req.Project != nil:
	case req.Unscoped != nil:
		return nil, nil
	default:
		return nil, problem(http.StatusBadRequest, "Expecting to find project in auth.scope.")
	}
	var p *project
	switch ref := req.Project; {
	case ref.ID != "":
		p = dir.projectByID[ref.ID]
	case ref.Name == "":
		return nil, problem(http.StatusBadRequest, "Expecting to find id or name in auth.scope.project.")
	case ref.Domain.missing():
		return nil, problem(http.StatusBadRequest, "Expecting to find domain in auth.scope.project.")
	case ref.Domain.isOurs():
		p = dir.projectByName[ref.Name]
	}
	if p == nil || p.Disabled || len(u.Projects[p.Name]) == 0 {
		return nil, errWrongPassword
	}
	return p, nil
}
