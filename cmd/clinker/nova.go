package main

import (
	"clinker/internal/conf"
	"clinker/internal/openstack/keystone"
	"clinker/internal/openstack/nova"
)

// newCompute gives the compute service's client; nil where there is no Keystone,
// and with it no compute service.
func newCompute(cfg *conf.Config) *nova.Client {
	n := cfg.Nova
	if cfg.API.AuthStrategy != "keystone" || n.AuthURL == "" {
		return nil
	}
	return nova.New(nova.Config{
		Interface: n.Interface, Region: n.RegionName, Timeout: n.Timeout,
		Login: keystone.NewLogin(keystone.Config{
			AuthURL: n.AuthURL, Username: n.Username, Password: n.Password.Reveal(), ProjectName: n.ProjectName,
			UserDomainName: n.UserDomainName, ProjectDomainName: n.ProjectDomainName, CAFile: n.CAFile, Insecure: n.Insecure,
		}),
	})
}
