package pki

import (
	"crypto/x509"
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
// leaves the host out. Invalid when they do not; Unavailable when a file cannot be
// read.
func Believed(ca, cert, key, host string) error {
	roots, files, err := open(ca, cert, key)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "its files cannot be read")
	}
	pair, between := files.current(), x509.NewCertPool()
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
