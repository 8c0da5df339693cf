package main

import (
	"fmt"

	"clinker/internal/pki"
)

// pkiCommand makes a CA and certificates for those who have none.
type pkiCommand struct {
	CA    pkiCA    `cmd:"" name:"ca" help:"Make the CA. May be repeated."`
	Issue pkiIssue `cmd:"" help:"Make or renew a certificate."`
}

type pkiCA struct {
	Directory string `arg:"" help:"Where the CA's certificate and key go."`
}

// Run is kong's.
func (p pkiCA) Run() error {
	cert, err := pki.EnsureCA(p.Directory)
	if err == nil {
		fmt.Println(cert)
	}
	return err
}

type pkiIssue struct {
	Directory string   `arg:"" help:"The CA's directory; the certificate goes there too."`
	Role      string   `arg:"" enum:"api,scheduler,volumed" help:"What its bearer is: api, scheduler or volumed."`
	Hosts     []string `arg:"" help:"Names and addresses at which it is reached."`
	Name      string   `placeholder:"NAME" help:"File name without ending. Default: the role."`
}

// Run is kong's.
func (p pkiIssue) Run() error {
	name := p.Name
	if name == "" {
		name = p.Role
	}
	cert, key, err := pki.Issue(p.Directory, name, pki.Role(p.Role), p.Hosts...)
	if err == nil {
		fmt.Println(cert)
		fmt.Println(key)
	}
	return err
}
