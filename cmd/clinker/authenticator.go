package main

import (
	"time"

	"clinker/internal/conf"
	"clinker/internal/openstack/builtin"
	"clinker/internal/openstack/identity"
	"clinker/internal/openstack/keystone"
)

// authenticator gives whoever tells who callers are, as auth_strategy says.
func authenticator(cfg *conf.Config) (identity.Authenticator, error) {
	switch cfg.API.AuthStrategy {
	case "noauth":
		return identity.NoAuth{}, identity.CheckLoopback(cfg.API.Listen)
	case "builtin":
		return builtinIdentity(cfg, "", "")
	}
	return keystone.New(keystoneConfig(cfg))
}

// keystoneConfig is [keystone_authtoken].
func keystoneConfig(cfg *conf.Config) keystone.Config {
	k := cfg.Keystone
	return keystone.Config{
		AuthURL: k.AuthURL, Username: k.Username, Password: k.Password.Reveal(),
		ProjectName: k.ProjectName, UserDomainName: k.UserDomainName, ProjectDomainName: k.ProjectDomainName,
		CAFile: k.CAFile, Insecure: k.Insecure,
		ServiceTokenRoles: k.ServiceTokenRoles, ServiceTokenRolesRequired: k.ServiceTokenRolesRequired,
		CacheTime: tokenCacheTime(k.TokenCacheTime), JWSPublicKeys: k.JWSKeyRepository,
	}
}

// tokenCacheTime gives token_cache_time as the validator has it, to which 0 is its
// default: in the file it is no time at all, as -1 is.
func tokenCacheTime(configured time.Duration) time.Duration {
	if configured <= 0 {
		return -1
	}
	return configured
}

// builtinIdentity opens the small Keystone of our own, on
// identity_directory.
func builtinIdentity(cfg *conf.Config, publicURL, volumeURL string) (*builtin.Service, error) {
	return builtin.New(builtin.Config{
		Dir: cfg.Clinker.IdentityDirectory, PublicURL: publicURL, VolumeURL: volumeURL, KeysURL: keysURL(cfg, volumeURL),
		TokenLifetime:     cfg.Clinker.IdentityTokenTTL,
		ServiceTokenRoles: cfg.Keystone.ServiceTokenRoles, ServiceTokenRolesRequired: cfg.Keystone.ServiceTokenRolesRequired,
	})
}
