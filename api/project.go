package api

import (
	"net/http"
	"regexp"
	"strings"

	"clinker/internal/fault"
)

// projectPattern is what Cinder takes for a project id in a URL.
var projectPattern = regexp.MustCompile(`^[0-9a-f-]+$`)

var slashes = regexp.MustCompile(`//+`)

// singleSlashes takes several slashes for one, as Cinder does: a catalog's URL
// that ends in one too many works.
func singleSlashes(r *http.Request) *http.Request {
	path := r.URL.EscapedPath()
	if !strings.Contains(path, "//") {
		return r
	}
	url := *r.URL
	url.RawPath = slashes.ReplaceAllLiteralString(path, "/")
	url.Path = unescape(url.RawPath)
	r.URL = &url
	return r
}

// splitPath takes /v3, the project segment if there is one, and a suffix .json
// off the path, so that every route is declared once. A project other than the
// token's is refused: false when that has been answered.
func (s *Server) splitPath(c *Call, w http.ResponseWriter) bool {
	rest, found := strings.CutPrefix(c.request.URL.EscapedPath(), "/v3/")
	if !found {
		notRouted(c, w)
		return false
	}
	first, tail, more := strings.Cut(rest, "/")
	if projectPattern.MatchString(first) {
		c.project = first
		if first != c.Identity.ProjectID {
			c.fail(w, fault.New(fault.Invalid, "Malformed request url"))
			return false
		}
		rest = tail
		if !more || tail == "" {
			notRouted(c, w)
			return false
		}
	}
	url := *c.request.URL
	url.Path, url.RawPath = "/"+unescape(strings.TrimSuffix(rest, ".json")), ""
	if strings.Contains(rest, "%2") { // an escaped slash stays in its segment
		url.RawPath = "/" + strings.TrimSuffix(rest, ".json")
	}
	c.request = c.request.WithContext(c.request.Context()) // a copy that shares the headers
	c.request.URL = &url
	return true
}

// root begins the links of an answer: scheme, host and /v3, and the project
// when the request had it.
func (c *Call) root(version string) string {
	base := c.base() + version
	if c.project != "" {
		base += "/" + c.project
	}
	return base
}

// base is where clients reach this server, without a slash at its end. A proxy's word for
// the host is always taken, as Cinder does; for scheme and path where it is to be believed.
func (c *Call) base() string {
	if c.server.PublicEndpoint != "" {
		return strings.TrimSuffix(strings.TrimSuffix(c.server.PublicEndpoint, "/"), "/v3")
	}
	scheme, host, prefix := "http", c.request.Host, ""
	if c.request.TLS != nil {
		scheme = "https"
	}
	if forwarded := c.request.Header.Get("X-Forwarded-Host"); forwarded != "" {
		host, _, _ = strings.Cut(forwarded, ",")
	}
	if c.server.ProxyHeaders {
		if forwarded := c.request.Header.Get("X-Forwarded-Proto"); forwarded == "http" || forwarded == "https" {
			scheme = forwarded
		}
		prefix = strings.TrimRight(c.request.Header.Get("X-Forwarded-Prefix"), "/")
	}
	return scheme + "://" + strings.TrimSpace(host) + prefix
}
