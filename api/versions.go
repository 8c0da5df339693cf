package api

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// The documents that clients find the API by, outside of the route table since
// any method reaches them and most need no token (routes.tsv,
// versions.*).

// serveOpen answers what needs no token: the root's versions document, the
// health check, and the description of the whole API. false when the request is for neither.
func (s *Server) serveOpen(c *Call, w http.ResponseWriter) bool {
	switch c.request.URL.Path {
	case "/":
		c.serveVersions(w, http.StatusMultipleChoices)
	case "/healthcheck", "/healthcheck/":
		s.healthcheck(c, w)
	case "/v3/openapi.json":
		text, err := s.openAPI()
		if err != nil {
			c.fail(w, err)
			return true
		}
		c.writeText(w, http.StatusOK, text)
	case "/v3", "/v3/":
		if s.authenticate(c, w) {
			c.serveVersion(w)
		}
	default:
		return false
	}
	return true
}

func (c *Call) serveVersion(w http.ResponseWriter) {
	if !strings.HasSuffix(c.request.URL.Path, "/") {
		c.header.Set("Location", c.base()+"/v3/")
		w.WriteHeader(http.StatusFound)
		return
	}
	c.serveVersions(w, http.StatusOK)
}

// serveVersions answers the document at any microversion there is.
func (c *Call) serveVersions(w http.ResponseWriter, status int) {
	version, err := negotiate(c.askedVersion())
	if err != nil {
		c.fail(w, err)
		return
	}
	c.versionHeaders(version.String())
	c.write(w, status, c.versionsView())
}

func (c *Call) versionsView() View {
	return func(o object) {
		objects(o, "versions", []string{"v3.0"}, func(o object, id string) {
			o.str("id", id)
			o.str("status", "CURRENT")
			o.str("version", MaxVersion.String())
			o.str("min_version", MinVersion.String())
			o.str("updated", "2023-08-31T00:00:00Z")
			objects(o, "links", [][3]string{
				{"describedby", "https://docs.openstack.org/", "text/html"},
				{"self", c.base() + "/v3/"},
			}, func(o object, l [3]string) {
				link(o, l[0], l[1])
				if l[2] != "" {
					o.str("type", l[2])
				}
			})
			objects(o, "media-types", []string{"application/vnd.openstack.volume+json;version=3"}, func(o object, t string) {
				o.str("base", "application/json")
				o.str("type", t)
			})
		})
	}
}

// healthPatience is how long a load balancer waits for its answer at most.
const healthPatience = 5 * time.Second

// healthcheck says OK while the database answers: what load balancers ask.
func (s *Server) healthcheck(c *Call, w http.ResponseWriter) {
	c.header.Set("Content-Type", "text/plain; charset=UTF-8")
	ctx, cancel := context.WithTimeout(c.Context(), healthPatience)
	defer cancel()
	if err := s.db.Ping(ctx); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("the database does not answer\n"))
		return
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte("OK"))
}
