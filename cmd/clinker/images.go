package main

import (
	"clinker/internal/conf"
	"clinker/internal/openstack/glance"
	"clinker/internal/openstack/keystone"
	"clinker/volumed/copy"
)

// newImages gives the image service's client; nil where there is neither Keystone,
// whose catalog has it, nor glance_api_servers.
func newImages(cfg *conf.Config, retries int) (*glance.Client, error) {
	g := cfg.Glance
	config := glance.Config{
		Servers: g.APIServers, CatalogInfo: g.CatalogInfo, Region: cfg.Keystone.RegionName, Retries: retries,
		CAFile: g.CACertificatesFile, Insecure: g.Insecure, Timeout: g.RequestTimeout,
	}
	if cfg.API.AuthStrategy == "keystone" && cfg.Keystone.AuthURL != "" {
		config.Login = keystone.NewLogin(keystoneConfig(cfg))
	}
	if config.Login == nil && len(config.Servers) == 0 {
		return nil, nil
	}
	return glance.New(config)
}

// verifySignatures tells whether signed images are refused.
func verifySignatures(cfg *conf.Config) bool { return cfg.Glance.VerifySignatures == "enabled" }

// newCopier gives what brings images onto the volumes of the node of that name.
func newCopier(cfg *conf.Config, node string) (*copy.Copier, error) {
	g := cfg.Glance
	return copy.New(copy.Options{
		Directory:         g.ConversionDir,
		Node:              node,
		TLS:               copy.TLS{CAFile: g.CACertificatesFile, Insecure: g.Insecure},
		CPULimit:          g.ConversionCPULimit,
		AddressSpaceBytes: g.ConversionAddressSpaceLimit << 30,
	})
}
