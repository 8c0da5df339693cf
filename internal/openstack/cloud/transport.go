package cloud

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"time"

	"clinker/internal/fault"
)

// Transport speaks TLS 1.2 or newer with servers whose certificates the system's
// authorities have signed, or those of caFile if that is not ""; insecure asks
// none. Invalid, naming the option that caFile comes from, when there is no
// certificate in it.
func Transport(caFile, option string, insecure bool) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure}
	if caFile == "" || insecure {
		return t, nil
	}
	text, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "%s cannot be read", option)
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
		return nil, fault.New(fault.Invalid, "%s holds no certificate", option)
	}
	return t, nil
}

// Direct gives a client that follows no redirects: they would carry a token to
// where nobody has meant it to go. timeout is of one request.
func Direct(t http.RoundTripper, timeout time.Duration) http.Client {
	return http.Client{Transport: t, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
