// Package trust says whom Clinker believes to be a server that is not its own: an
// OpenStack service, an S3 store; and whose certificates callers of the API may show.
// Its own processes know each other by package pki.
package trust

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"clinker/internal/fault"
)

// TLS gives a client's configuration for TLS 1.2 or newer with servers whose
// certificates the system's authorities have signed, or those in caFile (PEM) if
// that is not ""; insecure checks none. Invalid, naming the option that caFile comes
// from, when it cannot be read or holds no certificate, also with insecure.
func TLS(caFile, option string, insecure bool) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure}
	if caFile == "" {
		return config, nil
	}
	pool, err := Authorities(caFile, option)
	if err != nil {
		return nil, err
	}
	config.RootCAs = pool
	return config, nil
}

// Authorities reads certificates (PEM) of those who sign others'. Invalid, naming the
// option that the file comes from, when it cannot be read or holds none.
func Authorities(file, option string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "%s cannot be read", option)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fault.New(fault.Invalid, "%s holds no certificate", option)
	}
	return pool, nil
}
