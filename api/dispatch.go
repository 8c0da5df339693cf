package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"clinker/internal/fault"
)

// dispatch runs one request on an endpoint that exists.
func (s *Server) dispatch(c *Call, e *endpoint, w http.ResponseWriter) {
	view, err := s.run(c, e)
	switch {
	case err != nil:
		c.fail(w, err)
	case c.route.Object && !c.authorized:
		c.fail(w, fault.New(fault.Internal, "route %s succeeded without asking the policy", c.route.Name))
	default:
		c.answer(w, c.route.Status, view)
	}
}

// run goes through what all handlers have in common, in Cinder's order: version,
// body, existence at that version, schema, policy.
func (s *Server) run(c *Call, e *endpoint) (View, error) {
	var err error
	if c.Version, err = negotiate(c.askedVersion()); err != nil {
		return nil, err
	}
	c.negotiated = true
	if err := c.checkText(); err != nil {
		return nil, err
	}
	if err := c.readBody(s.MaxBody); err != nil {
		return nil, err
	}
	if c.route, err = c.pick(e); err != nil {
		return nil, err
	}
	if c.Version < c.route.Since {
		return nil, fault.New(fault.NotFound, "The resource could not be found.")
	}
	if err := c.checkBody(); err != nil {
		return nil, err
	}
	if !c.route.Object {
		if err := c.Allow(c.caller()); err != nil {
			return nil, err
		}
	}
	return c.route.Handler(c)
}

// jsonTypes are the media types that Cinder reads; by the letter.
var jsonTypes = map[string]bool{"application/json": true, "application/vnd.openstack.volume+json": true}

// readBody reads at most limit bytes.
func (c *Call) readBody(limit int64) error {
	body, err := io.ReadAll(io.LimitReader(c.request.Body, limit+1))
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "The request body could not be read.")
	}
	if int64(len(body)) > limit {
		return errTooLarge
	}
	if len(body) == 0 {
		return nil
	}
	if !utf8.Valid(body) {
		return fault.New(fault.Invalid, "Malformed request body: it must be UTF-8")
	}
	mediaType, _, _ := strings.Cut(c.request.Header.Get("Content-Type"), ";")
	if mediaType != "" && !jsonTypes[mediaType] {
		return fault.New(fault.MediaType, "Unsupported Content-Type: %s", mediaType)
	}
	if mediaType != "" {
		c.body = body
	}
	return nil
}

var errTooLarge = fault.New(fault.TooLarge, "Request is too large.")

// pick finds the route of an endpoint: for …/action the one that the body names.
func (c *Call) pick(e *endpoint) (Route, error) {
	if route, plain := e.actions[""]; plain {
		return route, nil
	}
	if len(c.body) == 0 {
		return Route{}, noSuchAction("None")
	}
	var keys []string
	err := jx.DecodeBytes(c.body).Obj(func(d *jx.Decoder, key string) error {
		keys = append(keys, key)
		return d.Skip()
	})
	if err != nil || len(keys) != 1 {
		return Route{}, fault.New(fault.Invalid, "Malformed request body")
	}
	route, known := e.actions[keys[0]]
	if !known {
		return Route{}, noSuchAction(keys[0])
	}
	return route, nil
}

func noSuchAction(name string) error {
	return fault.New(fault.Invalid, "There is no such action: %s. Verify the request body and Content-Type header and try again.", brief(name))
}

// checkBody refuses a body where none belongs, none where one does, and one
// that its schema does not allow.
func (c *Call) checkBody() error {
	if !c.route.takesBody() {
		if len(c.body) > 0 {
			return fault.New(fault.Invalid, "A %s request has no body.", c.route.Method)
		}
		return nil
	}
	if c.route.BodyOptional && string(bytes.TrimSpace(c.body)) == "null" {
		c.body = nil
	}
	if len(c.body) == 0 {
		if c.route.BodyOptional {
			return nil
		}
		return fault.New(fault.Invalid, "The request needs a JSON body with Content-Type: application/json.")
	}
	var err error
	c.doc, err = c.server.schemas.check(c.route.Name, c.Version, c.body)
	return err
}

// answer writes a success.
func (c *Call) answer(w http.ResponseWriter, status int, view View) {
	c.versionHeaders(c.Version.String())
	if c.plain != nil {
		c.header.Set("Content-Type", "text/plain; charset=UTF-8")
		c.writeText(w, status, []byte(*c.plain))
		return
	}
	if view == nil {
		c.header.Set("Content-Length", "0")
		if status == http.StatusNoContent {
			c.header.Del("Content-Length")
		}
		w.WriteHeader(status)
		return
	}
	c.write(w, status, view)
}

// fail writes a fault.
func (c *Call) fail(w http.ResponseWriter, err error) {
	if errors.Is(err, errTooLarge) {
		routerFault(w, http.StatusRequestEntityTooLarge, err.Error())
		return
	}
	status, message := errorStatus(c.Context(), err, c.RequestID)
	var unserved unservedVersion
	switch {
	case errors.As(err, &unserved):
		if !strings.HasPrefix(unserved.asked, "2.0") {
			c.versionHeaders(unserved.asked)
		}
	case c.negotiated:
		c.versionHeaders(c.Version.String())
	}
	if status == http.StatusRequestEntityTooLarge {
		c.header.Set("Retry-After", "0")
	}
	if fault.Is(err, fault.Precondition) {
		w.WriteHeader(status)
		return
	}
	c.write(w, status, faultView(status, message))
}

func (c *Call) versionHeaders(version string) {
	c.header.Set(versionHeader, versionValue(version))
	c.header.Set("Vary", versionHeader)
}

func (c *Call) write(w http.ResponseWriter, status int, view View) {
	text := jx.GetWriter()
	defer jx.PutWriter(text)
	encode(text, view)
	c.endTurn()
	c.writeText(w, status, text.Buf)
}

func (c *Call) writeText(w http.ResponseWriter, status int, text []byte) {
	if c.header.Get("Content-Type") == "" {
		c.header.Set("Content-Type", "application/json")
	}
	c.header.Set("Content-Length", itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client has gone; nothing is left to do
}
