package main

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"clinker/internal/openstack/builtin"
	"clinker/tempest/load"
)

// identity is the built-in identity, served by this process on the directory
// from which the API knows its users: so that a token is a real one, and that
// issuing it is nobody's processor time but ours.
type identity struct {
	service  *builtin.Service
	accounts []builtin.Account // two, each of a project of its own
	server   *http.Server
}

func startIdentity(dir string, port, apiPort int) (*identity, error) {
	roles := []string{"member", "reader"}
	accounts, err := builtin.Bootstrap(dir, builtin.Account{User: "bench", Project: "bench", Roles: roles},
		builtin.Account{User: "small", Project: "small", Roles: roles})
	if err != nil {
		return nil, err
	}
	service, err := builtin.New(builtin.Config{
		Dir: dir, PublicURL: fmt.Sprintf("http://127.0.0.1:%d", port), VolumeURL: fmt.Sprintf("http://127.0.0.1:%d/v3", apiPort),
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	i := &identity{service: service, accounts: accounts, server: &http.Server{Handler: service.Handler()}}
	go func() { _ = i.server.Serve(listener) }() // ends with stop
	return i, nil
}

func (i *identity) stop() { _ = i.server.Close() }

// logIn gives the API as the user of one of the accounts finds it.
func (i *identity) logIn(ctx context.Context, account int) (load.Endpoint, error) {
	a := i.accounts[account]
	openrc := map[string]string{"OS_AUTH_URL": i.service.AuthURL(), "OS_REGION_NAME": i.service.Region(),
		"OS_USERNAME": a.User, "OS_PASSWORD": a.Password, "OS_PROJECT_NAME": a.Project, "OS_DOMAIN_NAME": builtin.DomainName}
	return load.LogIn(ctx, func(name string) string { return openrc[name] }, "", "")
}
