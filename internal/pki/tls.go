package pki

import (
	"crypto/tls"
	"crypto/x509"

	"clinker/internal/trust"
)

// sessions is how many servers a client remembers for resumption: one a node.
const sessions = 1024

// ServerTLS is the configuration of a server: TLS 1.3, and only clients with a
// certificate of the CA and one of the roles (any role, when none is named).
// The certificate is read again when its file changes; the CA is not.
func ServerTLS(ca, cert, key string, clients ...Role) (*tls.Config, error) {
	pool, reload, err := open(ca, cert, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		ClientAuth:     tls.RequireAndVerifyClientCert,
		ClientCAs:      pool,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return reload.current(), nil },
		VerifyConnection: func(state tls.ConnectionState) error {
			return checkRole(state, clients)
		},
	}, nil
}

// ClientTLS is the configuration of a client: TLS 1.3, and only servers with a
// certificate of the CA for the host that is called and one of the roles (any
// role, when none is named). Connections resume earlier sessions. An
// http.Transport with it needs ForceAttemptHTTP2 for HTTP/2. The certificate
// is read again when its file changes; the CA is not.
func ClientTLS(ca, cert, key string, servers ...Role) (*tls.Config, error) {
	pool, reload, err := open(ca, cert, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		RootCAs:              pool,
		ClientSessionCache:   tls.NewLRUClientSessionCache(sessions),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return reload.current(), nil },
		VerifyConnection: func(state tls.ConnectionState) error {
			return checkRole(state, servers)
		},
	}, nil
}

// checkRole is run for resumed sessions too, which crypto/tls has verified
// when they were first made.
func checkRole(state tls.ConnectionState, allowed []Role) error {
	if len(allowed) == 0 {
		_, err := peerRole(state)
		return err
	}
	return RequireRole(state, allowed...)
}

// open reads the CA's certificates, and the pair for the first time.
func open(ca, cert, key string) (*x509.CertPool, *reloader, error) {
	pool, err := trust.Authorities(ca, "[clinker] ca = "+ca+", which clinker pki ca makes,")
	if err != nil {
		return nil, nil, err
	}
	r, err := newReloader(cert, key)
	return pool, r, err
}
