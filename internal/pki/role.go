package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"clinker/internal/fault"
)

// Role says what a process is, and so what it may call.
type Role string

// The roles of Clinker's processes.
const (
	API       Role = "api"
	Scheduler Role = "scheduler"
	Volumed   Role = "volumed"
)

// Valid tells whether it is one of the roles above.
func (r Role) Valid() bool { return r == API || r == Scheduler || r == Volumed }

// uri is the name under which a certificate carries the role.
func (r Role) uri() *url.URL {
	return &url.URL{Scheme: "clinker", Host: "role", Path: "/" + string(r)}
}

// peerRole gives the role of the process at the other end of a connection. It
// is an Unauthorized fault when the peer has shown no certificate of our CA,
// or one without a role.
func peerRole(state tls.ConnectionState) (Role, error) {
	if len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return "", fault.New(fault.Unauthorized, "the peer has shown no certificate of this cloud's CA")
	}
	if role := roleOf(state.VerifiedChains[0][0]); role != "" {
		return role, nil
	}
	return "", fault.New(fault.Unauthorized, "the peer's certificate carries no role (a URI clinker://role/…)")
}

// RequireRole is nil when the peer has one of the roles. Another role is a
// Forbidden fault, no role an Unauthorized one.
func RequireRole(state tls.ConnectionState, allowed ...Role) error {
	role, err := peerRole(state)
	if err != nil {
		return err
	}
	if !slices.Contains(allowed, role) {
		return fault.New(fault.Forbidden, "the peer's role is %s; only %s may connect here", role, join(allowed))
	}
	return nil
}

// CheckFile is nil when the certificate in the file carries the role. With another
// one a process would start, and every peer refuse it: an Invalid fault.
func CheckFile(file string, role Role) error {
	cert, err := first(file)
	if err != nil {
		return err
	}
	if has := roleOf(cert); has != role {
		return fault.New(fault.Invalid, "%s is a certificate for the role %q, and not for %s (a URI clinker://role/%s)", file, string(has), role, role)
	}
	return nil
}

// first reads the first certificate of a file.
func first(file string) (*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the certificate ([clinker] cert; clinker pki issue makes one): %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fault.New(fault.Invalid, "%s holds no certificate", file)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "%s holds no certificate", file)
	}
	return cert, nil
}

// roleOf reads the role from a certificate, "" when it has none.
func roleOf(cert *x509.Certificate) Role {
	for _, u := range cert.URIs {
		if u.Scheme != "clinker" || u.Host != "role" {
			continue
		}
		if role := Role(strings.TrimPrefix(u.Path, "/")); role.Valid() {
			return role
		}
	}
	return ""
}

func join(roles []Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words, " or ")
}
