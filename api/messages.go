package api

import (
	"net/http"

	"clinker/db"
)

func init() { register(messageRoutes) }

func messageRoutes(s *Server) []Route {
	const items, item = "/messages", "/messages/:message_id"
	return []Route{
		{Name: "messages.list", Method: "GET", Path: items, Since: 3, Status: http.StatusOK,
			Policy: []string{"message:get_all"}, Handler: s.listMessages},
		{Name: "messages.show", Method: "GET", Path: item, Since: 3, Status: http.StatusOK,
			Policy: []string{"message:get"}, Object: true, Handler: s.showMessage},
		{Name: "messages.delete", Method: "DELETE", Path: item, Since: 3, Status: http.StatusNoContent,
			Policy: []string{"message:delete"}, Object: true, Handler: s.deleteMessage},
	}
}

// message reads the message that the path names and asks the policy about it.
func (c *Call) message() (db.Message, error) {
	m, err := c.database().Message(c.Context(), c.Param("message_id"), c.Scope())
	if err != nil {
		return m, err
	}
	return m, c.Allow(Owner{ProjectID: m.ProjectID})
}

// messageFields has the fields of message (fields.tsv).
func (c *Call) messageFields(o object, m db.Message) {
	o.str("id", m.ID)
	o.str("event_id", m.EventID)
	o.str("user_message", m.UserMessage())
	o.str("message_level", m.MessageLevel)
	o.time("created_at", m.CreatedAt)
	o.time("guaranteed_until", m.ExpiresAt)
	o.text("request_id", m.RequestID)
	c.links(o, "/messages", m.ID)
	if m.ResourceType != nil {
		o.str("resource_type", *m.ResourceType)
	}
	if m.ResourceUUID != nil {
		o.str("resource_uuid", *m.ResourceUUID)
	}
}

var messageFilters = filterSpec{
	resource: "message",
	equal:    db.MessageFilter,
	like:     db.MessageLike,
}

// messageQuery reads the query; before 3.5 there was nothing in it but the
// marker of the link to the next page.
func (c *Call) messageQuery() (q db.Query, err error) {
	if !c.Since(5) {
		q, err = db.Query{Limit: c.server.MaxLimit, Marker: c.Query.Get("marker"),
			Sort: []db.Sort{{Key: "created_at", Desc: true}}}, nil
	} else if q, err = c.page(nil); err == nil {
		q.Where, err = c.filters(messageFilters)
	}
	if err != nil {
		return q, err
	}
	all, err := c.allProjects()
	if !all {
		q.Where = append(q.Where, db.MessagesOf(c.Identity.ProjectID))
	}
	return q, err
}

// listMessages lists the messages of the caller's project only. A reference
// Cinder has been seen to list everybody's.
func (s *Server) listMessages(c *Call) (View, error) {
	q, err := c.messageQuery()
	if err != nil {
		return nil, err
	}
	found, err := c.database().Messages(c.Context(), q)
	if err != nil {
		return nil, err
	}
	return func(o object) {
		objects(o, "messages", found, c.messageFields)
		if len(found) > 0 {
			c.next(o, "messages_links", "/messages", q, len(found), found[len(found)-1].ID)
		}
	}, nil
}

func (s *Server) showMessage(c *Call) (View, error) {
	m, err := c.message()
	return func(o object) {
		o.object("message", func(o object) { c.messageFields(o, m) })
	}, err
}

func (s *Server) deleteMessage(c *Call) (View, error) {
	m, err := c.message()
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error { return tx.DeleteMessage(c.Context(), m.ID) })
}
