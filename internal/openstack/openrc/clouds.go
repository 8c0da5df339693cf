package openrc

import (
	"crypto/tls"
	"errors"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
	"gopkg.in/yaml.v2"

	"clinker/internal/fault"
)

// readCloud reads clouds.yaml's entry of that name, from where the openstack client
// looks for it: OS_CLIENT_CONFIG_FILE, else the working directory, the user's
// configuration and /etc/openstack. secure.yaml beside it is read, too; OS_PASSWORD
// goes before what they say, for those who keep it in no file.
func readCloud(name string, env func(string) string) (gophercloud.AuthOptions, gophercloud.EndpointOpts, *tls.Config, error) {
	options := []clouds.ParseOption{clouds.WithCloudName(name)}
	if file := env("OS_CLIENT_CONFIG_FILE"); file != "" {
		options = append(options, clouds.WithLocations(file))
	}
	if region := env("OS_REGION_NAME"); region != "" {
		options = append(options, clouds.WithRegion(region))
	}
	if password := env("OS_PASSWORD"); password != "" {
		options = append(options, clouds.WithPassword(password))
	}
	auth, endpoint, tlsConfig, err := clouds.Parse(options...)
	if err != nil {
		return auth, endpoint, nil, fault.New(fault.Invalid, "OS_CLOUD is %q, which cannot be read: %s", name, reason(err))
	}
	if lacking := lacks(auth); lacking != "" {
		return auth, endpoint, nil, fault.New(fault.Invalid, "OS_CLOUD is %q, whose entry in clouds.yaml has no %s", name, lacking)
	}
	inDefaultDomain(&auth)
	return auth, endpoint, tlsConfig, nil
}

// reason is why the file cannot be read, without any value that stands in it.
func reason(err error) string {
	if wrong := (*yaml.TypeError)(nil); errors.As(err, &wrong) {
		return "clouds.yaml or secure.yaml is not shaped as the openstack client wants it"
	}
	return err.Error()
}

// inDefaultDomain completes names whose domain the file does not say, for Keystone
// takes none without.
func inDefaultDomain(auth *gophercloud.AuthOptions) {
	if auth.Username != "" && auth.DomainID == "" && auth.DomainName == "" {
		auth.DomainName = defaultDomain
	}
	if s := auth.Scope; s != nil && s.ProjectName != "" && s.DomainID == "" && s.DomainName == "" {
		s.DomainName = defaultDomain
	}
}
