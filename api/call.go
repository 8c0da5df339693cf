package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/openstack/identity"
	"clinker/policy"
)

// Call is one request on its way through a handler.
type Call struct {
	Identity  identity.Identity
	Version   Version
	RequestID string
	Query     url.Values

	server  *Server
	request *http.Request
	route   Route
	params  map[string]string
	project string // the URL's project segment, "" when it had none
	body    []byte
	doc     any         // the body as its schema has seen it, nil without one
	header  http.Header // of the answer
	plain   *string     // the answer where it is no JSON

	selfRoot, bookmarkRoot name // see links

	turn bool // it has one, see takeTurn

	negotiated bool
	authorized bool
}

// Context ends when the client goes away or the server stops.
func (c *Call) Context() context.Context { return c.request.Context() }

// Param gives a segment of the path, by the name in the route.
func (c *Call) Param(name string) string { return c.params[name] }

// Decode reads the body, which has passed its schema, into out: no more of it than
// the schema has seen, see exact. Without a body, where that is allowed, out stays as it is.
func (c *Call) Decode(out any) error {
	if err := fill(c.doc, out); err != nil {
		var explained *fault.Fault
		if errors.As(err, &explained) {
			return explained
		}
		return fault.Wrap(err, fault.Invalid, "Malformed request body")
	}
	return nil
}

// Since tells whether the request's microversion is at least 3.n.
func (c *Call) Since(n Version) bool { return c.Version >= n }

// noProject is the scope of a token without a project. No row has it.
const noProject = "(none)"

// Scope is the project that reads are limited to: the caller's, or "" (all) for
// an administrator.
func (c *Call) Scope() string {
	switch {
	case c.Identity.IsAdmin:
		return ""
	case c.Identity.ProjectID == "":
		return noProject
	}
	return c.Identity.ProjectID
}

// Owner says whose row something is, for the policy.
type Owner struct{ ProjectID, UserID string }

// Can asks the policy one question without refusing the request: for fields and
// options that only some may see or use.
func (c *Call) Can(rule string, owner Owner) bool {
	return c.server.policy.Check(rule, c.credentials(), policy.Target{ProjectID: owner.ProjectID, UserID: owner.UserID})
}

// Allow checks the route's rules against the owner of the row the request is
// about. Forbidden, in Cinder's words, names the first rule that refuses.
func (c *Call) Allow(owner Owner) error {
	c.authorized = true
	for _, rule := range c.route.Policy {
		if !c.Can(rule, owner) {
			return forbidden(rule)
		}
	}
	return nil
}

// Require checks one more rule, for an option that the route's rules do not cover.
func (c *Call) Require(rule string, owner Owner) error {
	if !c.Can(rule, owner) {
		return forbidden(rule)
	}
	return nil
}

func forbidden(rule string) error {
	return fault.New(fault.Forbidden, "Policy doesn't allow %s to be performed.", rule)
}

// caller is the owner of what the request would make.
func (c *Call) caller() Owner { return Owner{c.Identity.ProjectID, c.Identity.UserID} }

func (c *Call) credentials() policy.Credentials {
	id := c.Identity
	return policy.Credentials{
		UserID: id.UserID, UserDomainID: id.UserDomainID,
		ProjectID: id.ProjectID, ProjectDomainID: id.ProjectDomainID, DomainID: id.DomainID, SystemScope: id.SystemScope,
		Roles: id.Roles, IsAdmin: id.IsAdmin, NotAdminProject: id.NotAdminProject,
		ServiceUserID: id.ServiceUserID, ServiceProjectID: id.ServiceProjectID, ServiceRoles: id.ServiceRoles,
	}
}

// database is a shorthand for handlers.
func (c *Call) database() *db.DB { return c.server.db }

// tx runs fn in one transaction, which writes to no other project's volumes and
// snapshots than the caller may read; see db.Tx.
func (c *Call) tx(fn func(tx *db.Tx) error) error {
	return c.server.db.Tx(c.Context(), func(tx *db.Tx) error {
		tx.Within(c.Scope())
		return fn(tx)
	})
}
