package builtin

import (
	"net/http"
	"strconv"
)

// projects: an administrator sees all; others those in which they have a role,
// each by its id, and together under /v3/auth/projects.
var projects = collection{
	plural: "projects", singular: "project",
	entries: func(_ *Service, d *directory) []entry { return projectEntries(d.Projects) },
	mayShow: func(caller *session, id string) bool {
		p := caller.dir.projectByID[id]
		return p != nil && len(caller.user.Projects[p.Name]) > 0
	},
}

func projectEntries(of []*project) []entry {
	entries := make([]entry, 0, len(of))
	for _, p := range of {
		entries = append(entries, entry{
			id: p.ID,
			fields: map[string]string{"name": p.Name, "domain_id": domainID, "parent_id": domainID,
				"is_domain": "false", "enabled": strconv.FormatBool(!p.Disabled)},
			view: view{"id": p.ID, "name": p.Name, "description": p.Description,
				"domain_id": domainID, "parent_id": domainID, "is_domain": false,
				"enabled": !p.Disabled, "tags": []string{}, "options": struct{}{}},
		})
	}
	return entries
}

// ownProjects is GET /v3/auth/projects: where the caller could scope a token to.
func (s *Service) ownProjects(w http.ResponseWriter, r *http.Request, caller *session) error {
	s.answerList(w, r, projects.plural, projectEntries(caller.dir.projectsOf(caller.user)))
	return nil
}

// userProjects is GET /v3/users/{id}/projects, what "openstack project list"
// falls back to for a user who is no administrator.
func (s *Service) userProjects(w http.ResponseWriter, r *http.Request, caller *session) error {
	id := r.PathValue("id")
	if !caller.identity.IsAdmin && caller.user.ID != id {
		return errForbidden
	}
	u := caller.dir.userByID[id]
	if u == nil {
		return problem(http.StatusNotFound, "Could not find user: %s.", id)
	}
	s.answerList(w, r, projects.plural, projectEntries(caller.dir.projectsOf(u)))
	return nil
}
