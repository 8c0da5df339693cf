package pki

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"clinker/internal/fault"
)

// Validity tells from when and until when the certificate in the file is valid; Invalid
// when it holds none.
func Validity(file string) (from, until time.Time, err error) {
	cert, err := first(file)
	if err != nil {
		return from, until, err
	}
	return cert.NotBefore, cert.NotAfter, nil
}

// Believed is nil when peers that have the same CA believe the certificate in the file:
// it is valid, the CA has signed it, and it is for the host under which they call. ""
// leaves the host out. Invalid when they do not; another error when a file cannot be
// read.
func Believed(ca, cert, key, host string) error {
	text, err := os.ReadFile(ca)
	if err != nil {
		return fmt.Errorf("read the CA's certificate: %w", err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return err
	}
	for _, der := range pair.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			between.AddCert(c)
		}
	}
	_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "the CA in [clinker] ca does not vouch for it")
	}
	if host != "" {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			return fault.Wrap(err, fault.Invalid, "it is not for %s, under which this process is called", host)
		}
	}
	return nil
}
