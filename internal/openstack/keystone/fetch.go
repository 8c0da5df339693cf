package keystone

import (
	"context"
	"net/http"
	"time"

	"clinker/internal/openstack/identity"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
)

// tokenBody is the part of Keystone's answer that matters here.
type tokenBody struct {
	Token struct {
		User      named     `json:"user"`
		Project   named     `json:"project"`
		Roles     []named   `json:"roles"`
		ExpiresAt time.Time `json:"expires_at"`
		Domain    named     `json:"domain"` // what the token is scoped to, if not a project
		System    struct {
			All bool `json:"all"`
		} `json:"system"`
		IsAdminProject *bool `json:"is_admin_project"` // only where there is an admin project
	} `json:"token"`
}

type named struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain struct {
		ID string `json:"id"`
	} `json:"domain"`
}

// fetch asks Keystone, a second time when the first ended in no answer or a 5xx:
// behind a load balancer the next server may be well.
func (v *Validator) fetch(ctx context.Context, token string, lenient bool) (identity.Identity, error) {
	body, err := v.get(ctx, token, lenient)
	if status := statusOf(err); err != nil && (status == 0 || status >= 500) && ctx.Err() == nil {
		body, err = v.get(ctx, token, lenient)
	}
	switch {
	case err == nil:
		return body.identity(), nil
	case statusOf(err) == http.StatusNotFound:
		return identity.Identity{}, identity.Rejected()
	default:
		return identity.Identity{}, unavailable(err)
	}
}

func (v *Validator) get(ctx context.Context, token string, lenient bool) (*tokenBody, error) {
	client, err := v.login.Client(ctx)
	if err != nil {
		return nil, err
	}
	keystone, err := openstack.NewIdentityV3(client, gophercloud.EndpointOpts{})
	if err != nil {
		return nil, err
	}
	query := "?nocatalog=1"
	if lenient {
		query += "&allow_expired=1"
	}
	var body tokenBody
	_, err = keystone.Get(ctx, keystone.ServiceURL("auth", "tokens")+query, &body, &gophercloud.RequestOpts{
		MoreHeaders: map[string]string{"X-Subject-Token": token},
		OkCodes:     []int{http.StatusOK, http.StatusNonAuthoritativeInfo},
	})
	return &body, err
}

func (b *tokenBody) identity() identity.Identity {
	t := &b.Token
	id := identity.Identity{
		UserID: t.User.ID, UserName: t.User.Name, UserDomainID: t.User.Domain.ID,
		ProjectID: t.Project.ID, ProjectName: t.Project.Name, ProjectDomainID: t.Project.Domain.ID,
		DomainID: t.Domain.ID, NotAdminProject: t.IsAdminProject != nil && !*t.IsAdminProject,
		ExpiresAt: t.ExpiresAt,
	}
	for _, role := range t.Roles {
		id.Roles = append(id.Roles, role.Name)
	}
	id.IsAdmin = id.HasRole(identity.RoleAdmin)
	if t.System.All {
		id.SystemScope = "all"
	}
	return id
}
