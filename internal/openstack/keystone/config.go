package keystone

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"clinker/internal/fault"
	"clinker/internal/openstack/cloud"
)

// The bounds of what a Validator keeps.
const (
	MaxCacheTime     = 300 * time.Second // also the default, as keystonemiddleware's token_cache_time
	refusalTime      = 10 * time.Second
	defaultCacheSize = 20_000 // entries, of some 600 bytes
	callTimeout      = 10 * time.Second
	maxConnections   = 32 // to Keystone at once; more requests wait their turn
)

// Config is the section [keystone_authtoken] of cinder.conf, under its names.
type Config struct {
	AuthURL           string // auth_url, with or without /v3
	Username          string // the service user, who may validate tokens
	Password          string
	ProjectName       string
	UserDomainName    string // Default when empty
	ProjectDomainName string // Default when empty
	CAFile            string // cafile: PEM; the system's authorities when empty
	Insecure          bool   // the certificate is not checked

	// ServiceTokenRoles are the roles of which a service token needs one to
	// count ("service" when nil). With ServiceTokenRolesRequired a token
	// without any is refused, else ignored.
	ServiceTokenRoles         []string
	ServiceTokenRolesRequired bool

	CacheTime time.Duration // token_cache_time: MaxCacheTime when zero or longer; below zero nothing is kept
	CacheSize int           // entries; 20,000 when zero

	// JWSPublicKeys is a folder of PEM files, Keystone's
	// jws_public_key_repository. Empty: no token is checked offline.
	JWSPublicKeys string

	// Transport replaces the connection to Keystone, for tests and tracing. CAFile
	// and Insecure are then its own affair.
	Transport http.RoundTripper
}

// check fills in defaults and refuses what cannot work. The fault is Invalid
// and names the option.
func (c *Config) check() error {
	for option, value := range map[string]string{
		"auth_url": c.AuthURL, "username": c.Username, "password": c.Password, "project_name": c.ProjectName,
	} {
		if value == "" {
			return fault.New(fault.Invalid, "auth_strategy = keystone needs %s in [keystone_authtoken].", option)
		}
	}
	if !strings.HasPrefix(c.AuthURL, "http://") && !strings.HasPrefix(c.AuthURL, "https://") {
		return fault.New(fault.Invalid, "auth_url in [keystone_authtoken] must begin with http:// or https://.")
	}
	c.UserDomainName = cmp.Or(c.UserDomainName, "Default")
	c.ProjectDomainName = cmp.Or(c.ProjectDomainName, "Default")
	if c.ServiceTokenRoles == nil {
		c.ServiceTokenRoles = []string{"service"}
	}
	if c.CacheTime == 0 || c.CacheTime > MaxCacheTime {
		c.CacheTime = MaxCacheTime
	}
	if c.CacheSize <= 0 {
		c.CacheSize = defaultCacheSize
	}
	return nil
}

// transport is the connection to Keystone that the configuration asks for.
func (c *Config) transport() (http.RoundTripper, error) {
	if c.Transport != nil {
		return c.Transport, nil
	}
	t, err := cloud.Transport(c.CAFile, "cafile in [keystone_authtoken]", c.Insecure)
	if err != nil {
		return nil, err
	}
	t.MaxConnsPerHost = maxConnections
	t.MaxIdleConnsPerHost = maxConnections
	return t, nil
}
