package cloud

import (
	"net/http"
	"time"

	"clinker/internal/trust"
)

// Transport is the standard one with trust.TLS, whose errors are its own.
func Transport(caFile, option string, insecure bool) (*http.Transport, error) {
	config, err := trust.TLS(caFile, option, insecure)
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = config
	return t, nil
}

// Direct gives a client that follows no redirects: they would carry a token to
// where nobody has meant it to go. timeout is of one request.
func Direct(t http.RoundTripper, timeout time.Duration) http.Client {
	return http.Client{Transport: t, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
