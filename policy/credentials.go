package policy

// Credentials say who makes a request: what the token says, and whether
// context_is_admin holds (Enforcer.IsAdmin).
type Credentials struct {
	UserID          string
	UserDomainID    string
	ProjectID       string // empty for a token that is not scoped to a project
	ProjectDomainID string
	DomainID        string // of a token scoped to a domain
	SystemScope     string // "all" for a token scoped to the system
	Roles           []string
	IsAdmin         bool
	NotAdminProject bool // Keystone names an admin project, and this is another

	ServiceUserID    string // the service token's, when there is one
	ServiceProjectID string
	ServiceRoles     []string
}

// Target is what is acted upon. A field that is empty is None.
type Target struct {
	ProjectID string
	UserID    string
	DomainID  string
	Fields    map[string]string // anything else a rule may name in %(…)s; may be nil
}

// attribute names one thing about the caller that a check can compare.
type attribute uint8

const (
	attrUnknown attribute = iota // no caller has it; never equal
	attrUserID
	attrUserDomainID
	attrProjectID
	attrProjectDomainID
	attrDomainID
	attrSystemScope
	attrIsAdmin
	attrIsAdminProject
	attrServiceUserID
	attrServiceProjectID
	attrRoles
	attrServiceRoles
)

// attributes are the words for them in rules: oslo.context's, with the older
// names it still answers to.
var attributes = map[string]attribute{
	"user_id": attrUserID, "user": attrUserID,
	"user_domain_id": attrUserDomainID, "user_domain": attrUserDomainID,
	"project_id": attrProjectID, "tenant": attrProjectID, "tenant_id": attrProjectID,
	"project_domain_id": attrProjectDomainID, "project_domain": attrProjectDomainID,
	"domain_id": attrDomainID, "domain": attrDomainID,
	"system_scope":       attrSystemScope,
	"is_admin":           attrIsAdmin,
	"is_admin_project":   attrIsAdminProject,
	"service_user_id":    attrServiceUserID,
	"service_project_id": attrServiceProjectID,
	"roles":              attrRoles,
	"service_roles":      attrServiceRoles,
}

// text gives an attribute that has one value, as Python writes it; "" is None.
func (c *Credentials) text(a attribute) string {
	switch a {
	case attrUserID:
		return c.UserID
	case attrUserDomainID:
		return c.UserDomainID
	case attrProjectID:
		return c.ProjectID
	case attrProjectDomainID:
		return c.ProjectDomainID
	case attrDomainID:
		return c.DomainID
	case attrSystemScope:
		return c.SystemScope
	case attrIsAdmin:
		return truth(c.IsAdmin)
	case attrIsAdminProject:
		return truth(!c.NotAdminProject)
	case attrServiceUserID:
		return c.ServiceUserID
	case attrServiceProjectID:
		return c.ServiceProjectID
	}
	return ""
}

func truth(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
