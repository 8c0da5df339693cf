package identity

import (
	"context"
	"net/netip"
	"strings"

	"clinker/internal/fault"
)

// NoAuth believes whatever the token says, as Cinder's auth_strategy = noauth:
// the token is "user_id:project_id", the project defaults to the user, and
// everybody is an administrator. It is for development, and a server that uses
// it must pass CheckLoopback first.
type NoAuth struct{}

// Authenticate takes the token apart. An empty one is fault.Unauthorized.
func (NoAuth) Authenticate(_ context.Context, token, serviceToken string) (Identity, error) {
	id, err := believe(token)
	if err != nil || serviceToken == "" {
		return id, err
	}
	service, err := believe(serviceToken)
	if err != nil {
		return Identity{}, err
	}
	service.Roles = []string{"service"}
	return id.WithService(service, service.Roles, false)
}

func believe(token string) (Identity, error) {
	if err := CheckForm(token); err != nil {
		return Identity{}, err
	}
	user, project, _ := strings.Cut(token, ":")
	project, _, _ = strings.Cut(project, ":") // some clients append a role
	if user == "" {
		return Identity{}, fault.New(fault.Unauthorized,
			"With noauth the token is user_id:project_id; this one names no user.")
	}
	if project == "" {
		project = user
	}
	return Identity{
		UserID: user, UserName: user, UserDomainID: "default",
		ProjectID: project, ProjectName: project, ProjectDomainID: "default",
		Roles:   []string{RoleAdmin, "member", "reader"},
		IsAdmin: true,
	}, nil
}

// CheckLoopback refuses a listen address that another machine could reach. It
// takes "127.0.0.1", "127.0.0.1:8776", "::1" or "[::1]:8776". A host name is
// refused as well, because what it means is decided elsewhere. The fault is
// Invalid.
func CheckLoopback(listen string) error {
	addr, err := listenAddr(listen)
	if err != nil {
		return fault.New(fault.Invalid,
			"auth_strategy = noauth needs a loopback address such as 127.0.0.1 to listen on; %q is no IP address.", listen)
	}
	if !addr.Unmap().IsLoopback() {
		return fault.New(fault.Invalid,
			"auth_strategy = noauth makes everybody an administrator and is refused on %s: listen on 127.0.0.1 or ::1, or use keystone or builtin.", addr)
	}
	return nil
}

func listenAddr(listen string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(listen); err == nil {
		return ap.Addr(), nil
	}
	return netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(listen, "["), "]"))
}
