package main

import (
	"context"
	"log/slog"

	"clinker/internal/openstack/builtin"
)

// identityCommand serves the built-in identity beside `clinker api` with
// auth_strategy = builtin, for those who have no Keystone.
type identityCommand struct {
	Listen    string `default:"127.0.0.1:5000" help:"Address and port."`
	PublicURL string `placeholder:"URL" help:"Where clients reach it, without /v3. Default: http:// and the address."`
	VolumeURL string `required:"" placeholder:"URL" help:"Where clients reach the API, with /v3."`
	Openrc    string `placeholder:"USER" help:"Print what this user's shell must source, and end."`
}

// Run is kong's.
func (i identityCommand) Run(ctx context.Context, c *commands) error {
	cfg, err := c.load(ctx)
	if err != nil {
		return err
	}
	accounts, err := builtin.Bootstrap(cfg.Clinker.IdentityDirectory)
	if err != nil {
		return err
	}
	if i.PublicURL == "" {
		i.PublicURL = "http://" + i.Listen
	}
	service, err := builtinIdentity(cfg, i.PublicURL, i.VolumeURL)
	if err != nil {
		return err
	}
	if i.Openrc != "" {
		return printOpenrc(service, accounts, i.Openrc)
	}
	listener, err := listenTCP(ctx, i.Listen, "--listen")
	if err != nil {
		return err
	}
	slog.InfoContext(ctx, "serving the identity", "url", service.AuthURL())
	return serveHTTP(ctx, listener, service.Handler())
}
