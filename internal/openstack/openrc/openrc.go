// Package openrc reads who logs in to which cloud as the openstack client does: from
// the entry of clouds.yaml that OS_CLOUD names, else from the OS_* variables that an
// openrc sets.
package openrc

import (
	"cmp"
	"crypto/tls"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
	"clinker/internal/trust"
)

// defaultDomain is the domain of users and projects for which none is named.
const defaultDomain = "Default"

// Read gives who logs in and where, and whom TLS trusts: env is os.Getenv. Nothing is
// asked of the cloud. Invalid, naming the variable, when one is missing or unusable.
func Read(env func(string) string) (gophercloud.AuthOptions, gophercloud.EndpointOpts, *tls.Config, error) {
	if name := env("OS_CLOUD"); name != "" {
		return readCloud(name, env)
	}
	endpoint := gophercloud.EndpointOpts{
		Region:       env("OS_REGION_NAME"),
		Availability: availability(cmp.Or(env("OS_INTERFACE"), env("OS_ENDPOINT_TYPE"))),
	}
	tlsConfig, err := tlsFrom(env)
	if err != nil {
		return gophercloud.AuthOptions{}, endpoint, nil, err
	}
	auth, err := authFrom(env)
	return auth, endpoint, tlsConfig, err
}

// authFrom reads an openrc's variables. gophercloud's own reader knows one
// domain for user and project, which an openrc names apart.
func authFrom(env func(string) string) (gophercloud.AuthOptions, error) {
	auth := gophercloud.AuthOptions{
		IdentityEndpoint:            env("OS_AUTH_URL"),
		TokenID:                     env("OS_TOKEN"),
		UserID:                      cmp.Or(env("OS_USER_ID"), env("OS_USERID")),
		Username:                    env("OS_USERNAME"),
		Password:                    env("OS_PASSWORD"),
		ApplicationCredentialID:     env("OS_APPLICATION_CREDENTIAL_ID"),
		ApplicationCredentialName:   env("OS_APPLICATION_CREDENTIAL_NAME"),
		ApplicationCredentialSecret: env("OS_APPLICATION_CREDENTIAL_SECRET"),
	}
	switch lacking := lacks(auth); lacking {
	case "":
	case "auth_url":
		return auth, fault.New(fault.Invalid, "neither OS_AUTH_URL nor OS_CLOUD is set: source your openrc first")
	default:
		return auth, fault.New(fault.Invalid, "OS_%s is not set: source your openrc first", strings.ToUpper(lacking))
	}
	if auth.UserID == "" && auth.TokenID == "" && auth.ApplicationCredentialID == "" {
		auth.DomainID = cmp.Or(env("OS_USER_DOMAIN_ID"), env("OS_DOMAIN_ID"))
		if auth.DomainID == "" {
			auth.DomainName = cmp.Or(env("OS_USER_DOMAIN_NAME"), env("OS_DOMAIN_NAME"), defaultDomain)
		}
	}
	auth.Scope = scopeFrom(env)
	return auth, nil
}

// lacks names, as clouds.yaml does, what nobody can log in without; "" when all is there.
func lacks(auth gophercloud.AuthOptions) string {
	switch {
	case auth.IdentityEndpoint == "":
		return "auth_url"
	case auth.TokenID != "":
		return ""
	case auth.ApplicationCredentialID != "" || auth.ApplicationCredentialName != "":
		if auth.ApplicationCredentialSecret == "" {
			return "application_credential_secret"
		}
	case auth.UserID == "" && auth.Username == "":
		return "username"
	case auth.Password == "":
		return "password"
	}
	return ""
}

// scopeFrom gives the project; nil leaves it to the user's default or to the
// application credential, which has its own.
func scopeFrom(env func(string) string) *gophercloud.AuthScope {
	if env("OS_APPLICATION_CREDENTIAL_ID")+env("OS_APPLICATION_CREDENTIAL_NAME") != "" {
		return nil
	}
	if id := cmp.Or(env("OS_PROJECT_ID"), env("OS_TENANT_ID")); id != "" {
		return &gophercloud.AuthScope{ProjectID: id}
	}
	name := cmp.Or(env("OS_PROJECT_NAME"), env("OS_TENANT_NAME"))
	if name == "" {
		return nil
	}
	scope := &gophercloud.AuthScope{ProjectName: name, DomainID: cmp.Or(env("OS_PROJECT_DOMAIN_ID"), env("OS_DOMAIN_ID"))}
	if scope.DomainID == "" {
		scope.DomainName = cmp.Or(env("OS_PROJECT_DOMAIN_NAME"), env("OS_DOMAIN_NAME"), defaultDomain)
	}
	return scope
}

func availability(name string) gophercloud.Availability {
	switch strings.TrimSuffix(name, "URL") {
	case "internal":
		return gophercloud.AvailabilityInternal
	case "admin":
		return gophercloud.AvailabilityAdmin
	}
	return gophercloud.AvailabilityPublic
}

// tlsFrom reads OS_CACERT, OS_CERT, OS_KEY and OS_INSECURE.
func tlsFrom(env func(string) string) (*tls.Config, error) {
	insecure := slices.Contains([]string{"1", "true", "yes"}, strings.ToLower(env("OS_INSECURE")))
	path := env("OS_CACERT")
	config, err := trust.TLS(path, "OS_CACERT: "+path, insecure)
	if err != nil {
		return nil, err
	}
	if certificate, key := env("OS_CERT"), env("OS_KEY"); certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, cmp.Or(key, certificate))
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "OS_CERT and OS_KEY are no usable pair")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
