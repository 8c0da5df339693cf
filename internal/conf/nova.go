package conf

import (
	"strings"
	"time"

	"clinker/internal/fault"
)

// Nova is [nova]: how the compute service is told what has happened to volumes.
type Nova struct {
	RegionName string        `ini:"region_name" default:"$keystone_authtoken.region_name" help:"The region in which to look for the compute service."`
	Interface  string        `ini:"interface" default:"public" choices:"public,internal,admin" help:"Which of its endpoints in the catalog to call."`
	Timeout    time.Duration `ini:"timeout" default:"30" min:"1" help:"How long it may take to answer, in seconds."`

	AuthSection       string `ini:"auth_section" default:"" help:"The section with the options below. It can be only [keystone_authtoken], from which they are taken anyway."`
	AuthURL           string `ini:"auth_url" default:"$keystone_authtoken.auth_url" help:"Keystone's URL."`
	Username          string `ini:"username" default:"$keystone_authtoken.username" help:"The user as whom the compute service is called. Nova wants the service or admin role of it."`
	Password          Secret `ini:"password" default:"$keystone_authtoken.password" help:"That user's password."`
	ProjectName       string `ini:"project_name" default:"$keystone_authtoken.project_name" help:"The project that user's token is scoped to."`
	UserDomainName    string `ini:"user_domain_name" default:"$keystone_authtoken.user_domain_name" help:"The domain of the user."`
	ProjectDomainName string `ini:"project_domain_name" default:"$keystone_authtoken.project_domain_name" help:"The domain of the project."`
	CAFile            string `ini:"cafile" default:"$keystone_authtoken.cafile" help:"The CA certificates that vouch for Keystone and the compute service. Empty: the system's."`
	Insecure          bool   `ini:"insecure" default:"$keystone_authtoken.insecure" help:"Do not verify their certificates."`
}

// checkNova refuses a section that is not read.
func (n *Nova) checkNova() error {
	if s := strings.TrimSpace(n.AuthSection); s != "" && s != "keystone_authtoken" {
		return fault.New(fault.Invalid, "[nova] auth_section = %s: write the options of that section into [nova]", s)
	}
	return nil
}
