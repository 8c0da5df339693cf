package s3

import (
	"context"
	"io"
	"net/http"
	"time"

	"clinker/internal/fault"
)

// maxListing is more than a page of 1000 keys can take, in bytes.
const maxListing = 8 << 20

// guard is a transport that ends a request whose service takes nothing and gives
// nothing for longer than patience, and a listing that is longer than there can be: it
// is kept in memory until a page is whole.
type guard struct {
	http.RoundTripper
	patience time.Duration
}

// RoundTrip implements http.RoundTripper.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	w := &watch{patience: g.patience, cancel: cancel, late: time.AfterFunc(g.patience, cancel)}
	listing := r.URL.Query().Has("list-type")
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &sending{r.Body, w}
	}
	response, err := g.RoundTripper.RoundTrip(r)
	if err != nil {
		w.end()
		return nil, err
	}
	w.late.Stop() // until the body is read
	coming := &coming{ReadCloser: response.Body, watch: w, left: -1}
	if listing {
		coming.left = maxListing
	}
	response.Body = coming
	return response, nil
}

// watch is over one request.
type watch struct {
	patience time.Duration
	cancel   context.CancelFunc
	late     *time.Timer
}

func (w *watch) end() {
	w.late.Stop()
	w.cancel()
}

// sending is a request's body: who reads on has sent what there was before.
type sending struct {
	io.ReadCloser
	watch *watch
}

// Read gives the next bytes to send.
func (s *sending) Read(p []byte) (int, error) {
	s.watch.late.Reset(s.watch.patience)
	return s.ReadCloser.Read(p)
}

// coming is an answer's body, which may have so many bytes, any number when negative.
type coming struct {
	io.ReadCloser
	watch *watch
	left  int
}

// Read waits for the service, and gives an error for a byte too many.
func (c *coming) Read(p []byte) (int, error) {
	c.watch.late.Reset(c.watch.patience)
	n, err := c.ReadCloser.Read(p)
	c.watch.late.Stop()
	if c.left >= 0 {
		if n > c.left {
			return 0, fault.New(fault.Unavailable, "the backup store lists more than it was asked for")
		}
		c.left -= n
	}
	return n, err
}

// Close lets the connection go.
func (c *coming) Close() error {
	defer c.watch.end()
	return c.ReadCloser.Close()
}
