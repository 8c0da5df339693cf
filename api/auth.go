package api

import (
	"fmt"
	"net/http"
	"net/url"

	"clinker/internal/fault"
)

// unescape decodes a path; one that cannot be decoded is taken as it stands and
// will not be found.
func unescape(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}

// authenticate finds out who asks. false when it has answered 401 or 503.
func (s *Server) authenticate(c *Call, w http.ResponseWriter) bool {
	var err error
	c.Identity, err = s.Identity.Authenticate(c.Context(), c.request.Header.Get("X-Auth-Token"),
		c.request.Header.Get("X-Service-Token"))
	switch {
	case err == nil:
		c.Identity.IsAdmin = s.policy.IsAdmin(c.credentials())
		return true
	case fault.Is(err, fault.Unauthorized):
		c.unauthorized(w)
	default:
		c.fail(w, err)
	}
	return false
}

// unauthorized answers as the keystonemiddleware in front of Cinder does, not
// as Cinder's faults.
func (c *Call) unauthorized(w http.ResponseWriter) {
	c.header.Set("WWW-Authenticate", fmt.Sprintf("Keystone uri=%q", c.server.AuthURI))
	c.header.Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write(render(func(o object) {
		o.object("error", func(o object) {
			o.int("code", http.StatusUnauthorized)
			o.str("title", "Unauthorized")
			o.str("message", "The request you have made requires authentication.")
		})
	}))
}
