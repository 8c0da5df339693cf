package pki

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"time"

	"clinker/internal/fault"
)

// Issue makes a key and a certificate (name.crt, name.key) signed by the CA in
// the same folder, for a process of the role that is reached under the hosts:
// DNS names or IP addresses. It gives the paths of both.
//
// It changes nothing when a certificate for the same role and hosts is there,
// signed by this CA, with 30 days left or more; so it may be repeated, at
// every start. Bad names are Invalid faults, a folder without a CA NotFound.
func Issue(dir, name string, role Role, hosts ...string) (cert, key string, err error) {
	if err := checkRequest(name, role, hosts); err != nil {
		return "", "", err
	}
	release, err := lock(dir)
	if err != nil {
		return "", "", err
	}
	defer release()
	ca, err := load(dir, caName)
	if err != nil {
		return "", "", err
	}
	if ca == nil {
		return "", "", fault.New(fault.NotFound, "there is no CA (ca.crt with its ca.key) in %s", dir)
	}
	certFile, keyFile := paths(dir, name)
	template := leaf(name, role, hosts)
	if old, err := load(dir, name); err != nil {
		return "", "", err
	} else if old != nil && serves(old.cert, template, ca.cert) {
		return certFile, keyFile, nil
	}
	return certFile, keyFile, sign(ca, template, certFile, keyFile)
}

// sign makes a new key and its certificate. The key goes first: a process that
// reloads between the two keeps what it has, for they do not match yet.
func sign(ca *pair, template *x509.Certificate, certFile, keyFile string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		return fmt.Errorf("sign a certificate: %w", err)
	}
	if err := saveKey(keyFile, key); err != nil {
		return err
	}
	return saveCert(certFile, der)
}

// leaf describes the certificate to be made.
func leaf(name string, role Role, hosts []string) *x509.Certificate {
	now := time.Now()
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name, OrganizationalUnit: []string{string(role)}},
		NotBefore:   now.Add(-clockSkew),
		NotAfter:    now.Add(leafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:        []*url.URL{role.uri()},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	return t
}

// serves tells whether the old certificate still does what is asked for.
func serves(old, want, ca *x509.Certificate) bool {
	sameIP := func(a, b net.IP) bool { return a.Equal(b) }
	return fresh(old) &&
		old.CheckSignatureFrom(ca) == nil &&
		old.Subject.CommonName == want.Subject.CommonName &&
		roleOf(old) == roleOf(want) &&
		slices.Equal(old.DNSNames, want.DNSNames) &&
		slices.EqualFunc(old.IPAddresses, want.IPAddresses, sameIP)
}

var (
	plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	dnsName   = regexp.MustCompile(`^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)
)

func checkRequest(name string, role Role, hosts []string) error {
	switch {
	case !plainName.MatchString(name) || name == caName:
		return fault.New(fault.Invalid, "%q is no name for a certificate: letters, digits, dots and dashes, not ca", name)
	case !role.Valid():
		return fault.New(fault.Invalid, "%q is no role: api, scheduler or volumed", role)
	case len(hosts) == 0:
		return fault.New(fault.Invalid, "the certificate %s needs at least one host name or address", name)
	}
	for _, h := range hosts {
		if net.ParseIP(h) == nil && (len(h) > 253 || !dnsName.MatchString(h)) {
			return fault.New(fault.Invalid, "%q is no host name or IP address", h)
		}
	}
	return nil
}
