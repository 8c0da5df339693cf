package api

import (
	"fmt"
	"strings"
)

// Route is one operation of the API.
type Route struct {
	Name    string // as "volumes.create"; also names its schemas
	Method  string
	Path    string  // below /v3 and without the project: /volumes/:volume_id
	Action  string  // the key of the body, for POST …/action
	Since   Version // the first microversion that has it; before, it is a 404
	Status  int     // of success
	Handler Handler

	// Policy are the rules that must all allow the request, checked in their
	// order. With Object unset they are checked before the handler runs,
	// against the caller's own project.
	Policy []string

	// Object tells that the rules are about a row: the handler reads it and
	// calls Call.Allow with its owner. A handler that succeeds without having
	// done so is a mistake and answers 500.
	Object bool

	// BodyOptional accepts a request without a body although the method takes
	// one.
	BodyOptional bool
}

// Handler does one operation. It returns what to answer, nil for an empty body,
// or a fault. It may run again for the same request only if the client repeats it.
type Handler func(c *Call) (View, error)

// Resource is a family of routes.
type Resource func(s *Server) []Route

// resources are all families, each added by its own file.
var resources []Resource

func register(r Resource) { resources = append(resources, r) }

// takesBody tells whether the method carries a body. A body on any other is
// refused.
func (r Route) takesBody() bool { return r.Method == "POST" || r.Method == "PUT" }

// check refuses a declaration that cannot be meant. It runs at start.
func (r Route) check(known func(rule string) bool) error {
	switch {
	case r.Name == "" || r.Handler == nil || r.Status == 0:
		return fmt.Errorf("route %s %s lacks a name, handler or status", r.Method, r.Path)
	case !strings.HasPrefix(r.Path, "/"):
		return fmt.Errorf("route %s: path %q must begin with a slash", r.Name, r.Path)
	case r.Since < MinVersion || r.Since > MaxVersion:
		return fmt.Errorf("route %s: no microversion %s", r.Name, r.Since)
	case (r.Action != "") != strings.HasSuffix(r.Path, "/action"):
		return fmt.Errorf("route %s: an action goes with a path that ends in /action", r.Name)
	}
	for _, rule := range r.Policy {
		if !known(rule) {
			return fmt.Errorf("route %s: no policy rule %q", r.Name, rule)
		}
	}
	return nil
}

// endpoint is what the router knows: one method and path, with either one route
// or, for …/action, one per key.
type endpoint struct {
	method, path string
	actions      map[string]Route // key "" where the path has no actions
}

// endpoints groups routes by method and path, in the order of their declaration.
func endpoints(routes []Route) ([]*endpoint, error) {
	var all []*endpoint
	byPath := map[string]*endpoint{}
	for _, r := range routes {
		key := r.Method + " " + r.Path
		e := byPath[key]
		if e == nil {
			e = &endpoint{r.Method, r.Path, map[string]Route{}}
			byPath[key], all = e, append(all, e)
		}
		if _, taken := e.actions[r.Action]; taken {
			return nil, fmt.Errorf("route %s: %s %s is declared twice", r.Name, key, r.Action)
		}
		e.actions[r.Action] = r
	}
	return all, nil
}
