package conf

import "time"

// Keystone is [keystone_authtoken]: how the API validates tokens.
type Keystone struct {
	WWWAuthenticateURI        string        `ini:"www_authenticate_uri" old:"auth_uri" default:"" help:"Keystone's public URL, told to callers without a valid token."`
	AuthURL                   string        `ini:"auth_url" default:"" help:"Keystone's URL for Clinker itself."`
	Username                  string        `ini:"username" old:"admin_user" default:"cinder" help:"The user as whom tokens are validated."`
	Password                  Secret        `ini:"password" old:"admin_password" default:"" help:"That user's password."`
	ProjectName               string        `ini:"project_name" old:"admin_tenant_name" default:"service" help:"The project that user's token is scoped to."`
	UserDomainName            string        `ini:"user_domain_name" default:"Default" help:"The domain of the user."`
	ProjectDomainName         string        `ini:"project_domain_name" default:"Default" help:"The domain of the project."`
	CAFile                    string        `ini:"cafile" default:"" help:"The CA certificates that vouch for Keystone. Empty: the system's."`
	Insecure                  bool          `ini:"insecure" default:"false" help:"Do not verify Keystone's certificate."`
	RegionName                string        `ini:"region_name" default:"" help:"The region in which to look for the image service in Keystone's catalog. Empty: any. Keystone itself is at auth_url."`
	ServiceTokenRoles         []string      `ini:"service_token_roles" default:"service" help:"Roles of which a service token must carry at least one."`
	ServiceTokenRolesRequired bool          `ini:"service_token_roles_required" default:"false" help:"Refuse a service token without such a role, instead of passing it on."`
	TokenCacheTime            time.Duration `ini:"token_cache_time" default:"300" min:"-1" max:"300" help:"How long a validated token is believed without asking again, in seconds; 0 or -1 asks every time. A revoked token works that much longer."`
	JWSKeyRepository          string        `ini:"jws_key_repository" default:"" help:"A folder with Keystone's public JWS keys. When given, JWS tokens are checked here first."`
}

// check refuses what cannot be a URL.
func (k *Keystone) check() error {
	return checkURL("keystone_authtoken", "auth_url", k.AuthURL)
}
