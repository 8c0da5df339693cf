package api

import (
	"context"
	"maps"
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

// metadataOf is what Cinder's six operations on metadata need to know of a kind of
// resource.
type metadataOf struct {
	name, path string        // of the routes
	rules      metadataRules // of the policy
	tagged     bool          // from 3.15 on lists carry an Etag, and what replaces asks If-Match

	find   func(*Call) (id string, m db.StringMap, err error)
	noKey  func(id, key string) error
	change func(ctx context.Context, tx *db.Tx, id, doing string, change metadataChange) (db.StringMap, error)
}

// metadataRules are the policy's: get is for the resource.
type metadataRules struct{ get, read, create, update, remove string }

// metadataChange gives what becomes of the metadata.
type metadataChange func(now db.StringMap) (db.StringMap, error)

// metadataRequest is the body of the operations on metadata: all of it, or one key.
type metadataRequest struct {
	Metadata db.StringMap `json:"metadata"`
	Meta     db.StringMap `json:"meta"`
}

func (k metadataOf) routes() []Route {
	route := func(action, method, path string, handler func(*Call) (View, error), rules ...string) Route {
		return Route{Name: k.name + "." + action, Method: method, Path: path, Status: http.StatusOK,
			Policy: append([]string{k.rules.get}, rules...), Object: true, Handler: handler}
	}
	items, item := k.path, k.path+"/:key"
	return []Route{
		route("list", "GET", items, k.list, k.rules.read),
		route("create", "POST", items, k.merge, k.rules.create),
		route("replace", "PUT", items, k.replace, k.rules.update),
		route("show", "GET", item, k.show, k.rules.read),
		route("set", "PUT", item, k.set, k.rules.update),
		route("delete", "DELETE", item, k.delete, k.rules.read, k.rules.remove),
	}
}

func metadataView(m map[string]string) View {
	return func(o object) { o.strings("metadata", m) }
}

// list has with an Etag the media type that Cinder's answer then happens to have.
func (k metadataOf) list(c *Call) (View, error) {
	_, m, err := k.find(c)
	if err == nil && k.tagged && c.Since(15) {
		c.header.Set("Etag", metadataTag(m))
		c.header.Set("Content-Type", "text/html; charset=UTF-8")
	}
	return metadataView(m), err
}

func (k metadataOf) show(c *Call) (View, error) {
	id, m, err := k.find(c)
	if err != nil {
		return nil, err
	}
	key := c.Param("key")
	value, known := m[key]
	if !known {
		return nil, k.noKey(id, key)
	}
	return func(o object) { o.strings("meta", map[string]string{key: value}) }, nil
}

// merge adds to the metadata and answers with all of it.
func (k metadataOf) merge(c *Call) (View, error) {
	var in metadataRequest
	m, err := k.update(c, &in, func(now db.StringMap) (db.StringMap, error) { return now.With(in.Metadata), nil })
	return metadataView(m), err
}

func (k metadataOf) replace(c *Call) (View, error) {
	var in metadataRequest
	m, err := k.update(c, &in, k.ifMatches(c, func(db.StringMap) (db.StringMap, error) { return in.Metadata, nil }))
	return metadataView(m), err
}

// set sets the one key that both the path and the body name.
func (k metadataOf) set(c *Call) (View, error) {
	var in metadataRequest
	_, err := k.update(c, &in, k.ifMatches(c, func(now db.StringMap) (db.StringMap, error) {
		if _, named := in.Meta[c.Param("key")]; !named {
			return nil, fault.New(fault.Invalid, "Request body and URI mismatch")
		}
		return now.With(in.Meta), nil
	}))
	return func(o object) { o.strings("meta", in.Meta) }, err
}

func (k metadataOf) delete(c *Call) (View, error) {
	id, _, err := k.find(c)
	if err != nil {
		return nil, err
	}
	_, err = k.write(c, id, "Deleting", func(now db.StringMap) (db.StringMap, error) {
		key := c.Param("key")
		if _, known := now[key]; !known {
			return nil, k.noKey(id, key)
		}
		left := maps.Clone(now)
		delete(left, key)
		return left, nil
	})
	return nil, err
}

// update reads the body into in, and changes the metadata.
func (k metadataOf) update(c *Call, in *metadataRequest, change metadataChange) (db.StringMap, error) {
	id, _, err := k.find(c)
	if err != nil {
		return nil, err
	}
	if err := c.Decode(in); err != nil {
		return nil, err
	}
	return k.write(c, id, "Updating", change)
}

// write changes the metadata while nobody else does.
func (k metadataOf) write(c *Call, id, doing string, change metadataChange) (m db.StringMap, err error) {
	return m, c.tx(func(tx *db.Tx) error {
		m, err = k.change(c.Context(), tx, id, doing, change)
		return err
	})
}

// ifMatches refuses a change of metadata that are others than the caller has seen.
func (k metadataOf) ifMatches(c *Call, change metadataChange) metadataChange {
	return func(now db.StringMap) (db.StringMap, error) {
		if k.tagged && c.Since(15) && !tagMatches(c.request.Header.Get("If-Match"), metadataTag(now)) {
			return nil, fault.New(fault.Precondition, "The metadata has changed.")
		}
		return change(now)
	}
}
