package builtin

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
)

// maxBodyBytes is Keystone's own bound on a request's body.
const maxBodyBytes = 114688

// act is one operation: it answers, or returns why not.
type act func(w http.ResponseWriter, r *http.Request) error

// sessionAct is one that needs to know who asks.
type sessionAct func(w http.ResponseWriter, r *http.Request, caller *session) error

// Handler serves the v3 API from its root, Config.PublicURL; the caller strips a
// prefix if there is one.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, a act) { mux.Handle(pattern, s.serve(a)) }
	handle("GET /{$}", s.versions)
	handle("GET /v3", s.version)
	handle("GET /v3/{$}", s.version)
	handle("POST /v3/auth/tokens", s.login)
	handle("GET /v3/auth/tokens", s.withCaller(s.showToken))
	handle("DELETE /v3/auth/tokens", s.withCaller(s.revokeToken))
	handle("GET /v3/auth/catalog", s.withCaller(s.showCatalog))
	handle("GET /v3/auth/projects", s.withCaller(s.ownProjects))
	handle("GET /v3/users/{id}/projects", s.withCaller(s.userProjects))
	for _, c := range collections {
		handle("GET /v3/"+c.plural, s.withCaller(c.list(s)))
		handle("GET /v3/"+c.plural+"/{id}", s.withCaller(c.show(s)))
	}
	for pattern, a := range s.neighbours() {
		handle(pattern, a)
	}
	handle("/", s.nothing)
	return mux
}

// serve adds what every answer has: a request id, a bound on the body, and the
// refusal's shape.
func (s *Service) serve(a act) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("x-openstack-request-id", newRequestID())
		r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		err := a(w, r)
		if err == nil || errors.Is(err, context.Canceled) {
			return
		}
		s.refuse(w, r, err)
	})
}

// withCaller lets only the bearer of a valid X-Auth-Token through.
func (s *Service) withCaller(a sessionAct) act {
	return func(w http.ResponseWriter, r *http.Request) error {
		caller, err := s.verify(r.Header.Get("X-Auth-Token"))
		if err != nil {
			return err
		}
		return a(w, r, caller)
	}
}

// nothing answers what is not routed. A write to something that can be read gets
// told why there is none.
func (s *Service) nothing(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		for _, c := range collections {
			if path := "/v3/" + c.plural; r.URL.Path == path || strings.HasPrefix(r.URL.Path, path+"/") {
				return problem(http.StatusForbidden,
					"The built-in identity is read-only: its projects and users are edited in the file %s.", usersFile)
			}
		}
	}
	return problem(http.StatusNotFound, "The resource could not be found.")
}

func newRequestID() string {
	var b [16]byte
	rand.Read(b[:])
	h := hex.EncodeToString(b[:])
	return "req-" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
