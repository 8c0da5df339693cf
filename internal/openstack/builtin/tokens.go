package builtin

import (
	"net/http"
	"slices"
	"time"

	"clinker/internal/openstack/identity"
)

// timeForm is Keystone's: UTC with microseconds.
const timeForm = "2006-01-02T15:04:05.000000Z"

type ref struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type tokenView struct {
	Methods   []string      `json:"methods"`
	User      tokenUser     `json:"user"`
	AuditIDs  []string      `json:"audit_ids"`
	ExpiresAt string        `json:"expires_at"`
	IssuedAt  string        `json:"issued_at"`
	Project   *tokenProject `json:"project,omitempty"`
	IsDomain  *bool         `json:"is_domain,omitempty"`
	Roles     []ref         `json:"roles,omitempty"`
	Catalog   []catalogView `json:"catalog,omitempty"`
}

type tokenUser struct {
	Domain            ref     `json:"domain"`
	ID                string  `json:"id"`
	Name              string  `json:"name"`
	PasswordExpiresAt *string `json:"password_expires_at"`
}

type tokenProject struct {
	Domain ref    `json:"domain"`
	ID     string `json:"id"`
	Name   string `json:"name"`
}

var ourDomain = ref{domainID, DomainName}

// tokenBody is what a login and a validation answer; ?nocatalog leaves out the
// longest part.
func (s *Service) tokenBody(r *http.Request, of *session) map[string]tokenView {
	v := tokenView{
		Methods:   of.claims.Methods,
		User:      tokenUser{Domain: ourDomain, ID: of.user.ID, Name: of.user.Name},
		AuditIDs:  of.claims.AuditIDs,
		ExpiresAt: formTime(of.claims.ExpiresAt.Time),
		IssuedAt:  formTime(of.claims.IssuedAt.Time),
	}
	if p := of.project; p != nil {
		v.Project = &tokenProject{ourDomain, p.ID, p.Name}
		v.IsDomain = new(bool)
		for _, name := range of.identity.Roles {
			v.Roles = append(v.Roles, ref{deriveID("role", name), name})
		}
		if !r.URL.Query().Has("nocatalog") {
			v.Catalog = s.catalogFor(p)
		}
	}
	return map[string]tokenView{"token": v}
}

func formTime(t time.Time) string { return t.UTC().Format(timeForm) }

// subject is the token in X-Subject-Token, if the caller may deal with it: its
// own user's, or anybody's for an administrator or a service.
func (s *Service) subject(r *http.Request, caller *session, alsoRole string) (*session, error) {
	token := r.Header.Get("X-Subject-Token")
	if token == "" {
		return nil, problem(http.StatusBadRequest, "Expecting to find the header X-Subject-Token.")
	}
	of, err := s.verify(token)
	if err != nil {
		of = nil
	}
	own := of != nil && of.user.ID == caller.user.ID
	if !own && !caller.identity.IsAdmin && !slices.Contains(caller.identity.Roles, alsoRole) {
		return nil, errForbidden
	}
	if of == nil {
		return nil, problem(http.StatusNotFound, "Could not find the token, or it has expired or was revoked.")
	}
	return of, nil
}

// showToken is GET and HEAD /v3/auth/tokens.
func (s *Service) showToken(w http.ResponseWriter, r *http.Request, caller *session) error {
	of, err := s.subject(r, caller, "service")
	if err != nil {
		return err
	}
	w.Header().Set("X-Subject-Token", r.Header.Get("X-Subject-Token"))
	answer(w, http.StatusOK, s.tokenBody(r, of))
	return nil
}

// revokeToken is DELETE /v3/auth/tokens. Tokens made from this one live on.
func (s *Service) revokeToken(w http.ResponseWriter, r *http.Request, caller *session) error {
	of, err := s.subject(r, caller, identity.RoleAdmin)
	if err != nil {
		return err
	}
	s.revoked.add(of.claims.auditID(), of.identity.ExpiresAt)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// showCatalog is GET /v3/auth/catalog.
func (s *Service) showCatalog(w http.ResponseWriter, r *http.Request, caller *session) error {
	if caller.project == nil {
		return problem(http.StatusForbidden, "An unscoped token has no catalog: ask for one scoped to a project.")
	}
	answer(w, http.StatusOK, map[string]any{
		"catalog": s.catalogFor(caller.project), "links": s.listLinks(r),
	})
	return nil
}
