package conf

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"clinker/internal/fault"
)

// Clinker is [clinker]: what Cinder has no option for.
type Clinker struct {
	CA   string `ini:"ca" default:"$state_path/pki/ca.crt" help:"The certificate of the CA that signs for every process of this cloud's Clinker."`
	Cert string `ini:"cert" default:"$state_path/pki/{role}.crt" help:"This process's certificate. {role} stands for api, scheduler or volumed."`
	Key  string `ini:"key" default:"$state_path/pki/{role}.key" help:"Its private key. {role} as above."`

	VolumedListen   string `ini:"volumed_listen" default:"$my_ip" help:"The address volumed listens on."`
	VolumedPort     int    `ini:"volumed_port" default:"9776" min:"1" max:"65535" help:"The TCP port volumed listens on."`
	VolumedEndpoint string `ini:"volumed_endpoint" default:"https://$my_ip:$volumed_port" help:"The URL under which api and scheduler reach this machine's volumed."`

	SchedulerListen    string   `ini:"scheduler_listen" default:"$my_ip" help:"The address the scheduler listens on for nodes that announce themselves."`
	SchedulerPort      int      `ini:"scheduler_port" default:"9777" min:"1" max:"65535" help:"The TCP port the scheduler listens on."`
	SchedulerEndpoints []string `ini:"scheduler_endpoints" default:"https://$my_ip:$scheduler_port" help:"The URLs of all schedulers, to which volumed announces itself."`

	IdentityDirectory string        `ini:"identity_directory" default:"$state_path/identity" help:"The folder of the built-in identity (auth_strategy = builtin): users.yaml, and the key that signs tokens. Made by clinker identity."`
	IdentityTokenTTL  time.Duration `ini:"identity_token_ttl" default:"3600" min:"1" help:"How long its tokens are valid, in seconds."`
}

// TLSFiles gives the paths of the CA certificate, and of the certificate and
// key of a process in the given role (api, scheduler, volumed).
func (c *Clinker) TLSFiles(role string) (ca, cert, key string) {
	fill := strings.NewReplacer("{role}", role)
	return c.CA, fill.Replace(c.Cert), fill.Replace(c.Key)
}

// checkEndpoints refuses addresses at which nobody could be called.
func (c *Clinker) checkEndpoints() error {
	if len(c.SchedulerEndpoints) == 0 {
		return fault.New(fault.Invalid, "[clinker] scheduler_endpoints is empty: a storage node announces itself to the schedulers, and to nobody without")
	}
	for _, endpoint := range slices.Concat([]string{c.VolumedEndpoint}, c.SchedulerEndpoints) {
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" {
			return fault.New(fault.Invalid, "[clinker] volumed_endpoint, scheduler_endpoints: %q: it must be https://, an address and a port", endpoint)
		}
	}
	return nil
}
