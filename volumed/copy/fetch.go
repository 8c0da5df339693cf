package copy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"clinker/internal/fault"
	"clinker/internal/trust"
)

// TLS says whom to believe that it is the image service.
type TLS struct {
	CAFile   string // PEM; the system's authorities when empty
	Insecure bool   // the certificate is not checked
}

// client makes what fetches and sends images, for a service that answers within
// that time. Where a server sends it is not followed: the
// token is for the image service alone.
func (t TLS) client(patience time.Duration) (*http.Client, error) {
	config, err := trust.TLS(t.CAFile, "glance_ca_certificates_file", t.Insecure)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig:       config,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: patience,
			DisableCompression:    true,
			WriteBufferSize:       64 << 10,
			ReadBufferSize:        256 << 10,
			MaxIdleConnsPerHost:   2,
			IdleConnTimeout:       time.Minute,
		},
	}, nil
}

// fetch opens the image's bytes. Invalid when the image service will not give
// them, Unavailable when it cannot, which may be tried again. The bytes end with
// an error when none have come for longer than patience.
func (c *Copier) fetch(ctx context.Context, image Image) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, image.URL, nil)
	if err != nil {
		cancel()
		return nil, fault.New(fault.Invalid, "the image's address cannot be read")
	}
	if image.Token != "" {
		request.Header.Set("X-Auth-Token", string(image.Token))
	}
	response, err := c.client.Do(request)
	if err != nil {
		cancel()
		return nil, lost(err)
	}
	body := &stream{Reader: response.Body, close: func() { cancel(); _ = response.Body.Close() }, patience: c.Patience}
	body.late = time.AfterFunc(c.Patience, cancel)
	if err := answered(response.StatusCode); err != nil {
		_ = body.Close()
		return nil, err
	}
	return body, nil
}

func answered(status int) error {
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound, status == http.StatusNoContent, status == http.StatusGone:
		return unacceptable("the image service has no bytes of it")
	case status >= 500, status == http.StatusUnauthorized, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return fault.New(fault.Unavailable, "the image service answered with status %d", status)
	}
	return unacceptable("the image service does not give its bytes and answers with status %d", status)
}

// lost is the fault for a connection that broke.
func lost(err error) error {
	return fault.Wrap(err, fault.Unavailable, "the image service does not answer, or the connection to it broke")
}

// stream is a body that may not stall.
type stream struct {
	io.Reader
	close    func()
	patience time.Duration
	late     *time.Timer
}

// Read gives Unavailable when the connection broke. Only the image service's time
// counts, not that of the disk which is written to in between.
func (s *stream) Read(p []byte) (int, error) {
	s.late.Reset(s.patience)
	n, err := s.Reader.Read(p)
	s.late.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = lost(err)
	}
	return n, err
}

// Close lets the connection go.
func (s *stream) Close() error {
	s.late.Stop()
	s.close()
	return nil
}
