package builtin

import (
	"net/http"
	"strings"
)

// collection is one read-only kind of thing: a list with filters, and each of
// its members by id. A new kind is one file with one of these, and a line below.
type collection struct {
	plural, singular string
	entries          func(s *Service, d *directory) []entry
	mayList          func(caller *session) bool            // besides administrators; nil for nobody
	mayShow          func(caller *session, id string) bool // likewise
}

var collections = []collection{
	projects, users, domains, roles, services, endpoints, regions,
}

// entry is one member: its view, and the texts that a query may filter by.
type entry struct {
	id     string
	fields map[string]string
	view   view
}

// view is the JSON object of one member.
type view map[string]any

func (c collection) list(s *Service) sessionAct {
	return func(w http.ResponseWriter, r *http.Request, caller *session) error {
		if !caller.identity.IsAdmin && (c.mayList == nil || !c.mayList(caller)) {
			return errForbidden
		}
		s.answerList(w, r, c.plural, c.entries(s, caller.dir))
		return nil
	}
}

// show refuses before it looks, so that who may not see learns nothing.
func (c collection) show(s *Service) sessionAct {
	return func(w http.ResponseWriter, r *http.Request, caller *session) error {
		id := r.PathValue("id")
		if !caller.identity.IsAdmin && (c.mayShow == nil || !c.mayShow(caller, id)) {
			return errForbidden
		}
		for _, e := range c.entries(s, caller.dir) {
			if e.id == id {
				answer(w, http.StatusOK, map[string]view{c.singular: s.withLink(c.plural, e)})
				return nil
			}
		}
		return problem(http.StatusNotFound, "Could not find %s: %s.", c.singular, id)
	}
}

// answerList writes the entries that the query does not filter out. As in
// Keystone a filter on something a member does not have is ignored.
func (s *Service) answerList(w http.ResponseWriter, r *http.Request, plural string, entries []entry) {
	query := r.URL.Query()
	views := []view{}
next:
	for _, e := range entries {
		for name, have := range e.fields {
			if query.Has(name) && filterText(name, query.Get(name)) != have {
				continue next
			}
		}
		views = append(views, s.withLink(plural, e))
	}
	answer(w, http.StatusOK, map[string]any{plural: views, "links": s.listLinks(r)})
}

// filterText brings enabled to "true" or "false" by Keystone's rule: only "0"
// and "false" mean no.
func filterText(name, text string) string {
	if name != "enabled" {
		return text
	}
	if text == "0" || strings.EqualFold(text, "false") {
		return "false"
	}
	return "true"
}

func (s *Service) withLink(plural string, e entry) view {
	e.view["links"] = map[string]string{"self": s.AuthURL() + "/" + plural + "/" + e.id}
	return e.view
}

func (s *Service) listLinks(r *http.Request) map[string]any {
	return map[string]any{"self": s.cfg.PublicURL + r.URL.RequestURI(), "previous": nil, "next": nil}
}
