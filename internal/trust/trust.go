// Package trust says whom Clinker believes to be a server that is not its own: an
// OpenStack service, an S3 store. Its own processes know each other by package pki.
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
	text, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "%s cannot be read", option)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fault.New(fault.Invalid, "%s holds no certificate", option)
	}
	return config, nil
}
