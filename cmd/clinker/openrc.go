package main

import (
	"os"

	"clinker/internal/fault"
	"clinker/internal/openstack/builtin"
)

// printOpenrc writes one of the first accounts' openrc to standard output.
func printOpenrc(service *builtin.Service, accounts []builtin.Account, user string) error {
	for _, a := range accounts {
		if a.User == user {
			return builtin.Openrc(os.Stdout, service.AuthURL(), service.Region(), a)
		}
	}
	return fault.New(fault.NotFound, "%s is none of the accounts that were made at the first start", user)
}
