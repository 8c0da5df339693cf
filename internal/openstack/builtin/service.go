package builtin

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"runtime"
	"strings"
	"time"

	"clinker/internal/fault"
	"clinker/internal/openstack/identity"

	lru "github.com/hashicorp/golang-lru/v2"
)

// defaultTokenLifetime is how long a token lasts unless configured otherwise.
const defaultTokenLifetime = time.Hour

// Config says where the directory is and what the catalog announces.
type Config struct {
	Dir           string        // made by Bootstrap
	PublicURL     string        // where Handler is reached, without /v3: http://127.0.0.1:5000
	VolumeURL     string        // the volume API, with /v3 and no project: http://127.0.0.1:8776/v3
	KeysURL       string        // the local key store's, without its version; "" where there is none
	Region        string        // RegionOne when empty
	TokenLifetime time.Duration // an hour when zero

	// ServiceTokenRoles are the roles of which a service token needs one to
	// count (Cinder: service_token_roles; "service" when nil). With
	// ServiceTokenRolesRequired a token without any is refused, else ignored.
	ServiceTokenRoles         []string
	ServiceTokenRolesRequired bool
}

// Service is the built-in identity: an http.Handler through Handler, and an
// identity.Authenticator. Safe for concurrent use.
type Service struct {
	cfg      Config
	key      *ecdsa.PrivateKey
	store    *store
	sessions *lru.Cache[[sha256.Size]byte, *session]
	revoked  revoked
	logins   *logins
	catalog  []catalogService
}

var _ identity.Authenticator = (*Service)(nil)

// New opens the directory that Bootstrap made. It starts nothing: there is
// nothing to close.
func New(cfg Config) (*Service, error) {
	cfg.setDefaults()
	users, err := openStore(cfg.Dir)
	if err != nil {
		return nil, err
	}
	key, err := loadKey(cfg.Dir)
	if err != nil {
		return nil, err
	}
	sessions, err := lru.New[[sha256.Size]byte, *session](sessionsKept)
	if err != nil {
		return nil, err
	}
	tries, err := newLogins(max(1, runtime.NumCPU()/2))
	if err != nil {
		return nil, err
	}
	return &Service{cfg: cfg, key: key, store: users, sessions: sessions,
		logins: tries, catalog: newCatalog(cfg)}, nil
}

func (c *Config) setDefaults() {
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	c.VolumeURL = strings.TrimRight(c.VolumeURL, "/")
	c.KeysURL = strings.TrimRight(c.KeysURL, "/")
	if c.Region == "" {
		c.Region = "RegionOne"
	}
	if c.TokenLifetime <= 0 {
		c.TokenLifetime = defaultTokenLifetime
	}
	if c.ServiceTokenRoles == nil {
		c.ServiceTokenRoles = []string{"service"}
	}
}

// AuthURL is what an openrc names: the root of the v3 API.
func (s *Service) AuthURL() string { return s.cfg.PublicURL + "/v3" }

// Region is the one region of the catalog.
func (s *Service) Region() string { return s.cfg.Region }

// Authenticate checks the token, and the service token when there is one, without
// asking anybody: microseconds for a token seen before, one signature check for
// a new one. The fault is Unauthorized.
func (s *Service) Authenticate(_ context.Context, token, serviceToken string) (identity.Identity, error) {
	found, err := s.verify(token)
	if err != nil || serviceToken == "" {
		return identityOf(found), err
	}
	service, err := s.verify(serviceToken)
	if err != nil {
		return identity.Identity{}, fault.Wrap(err, fault.Unauthorized, "The service token is unknown, has expired, or was revoked.")
	}
	return found.identity.WithService(service.identity, s.cfg.ServiceTokenRoles, s.cfg.ServiceTokenRolesRequired)
}

func identityOf(found *session) identity.Identity {
	if found == nil {
		return identity.Identity{}
	}
	return found.identity
}
