package s3

import (
	"io"
	"net/http"

	"clinker/internal/fault"
)

// maxListing is more than a page of 1000 keys can take, in bytes.
const maxListing = 8 << 20

// bounded is a transport that ends a listing which is longer than there can be: it is
// kept in memory until a page is whole.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil && r.URL.Query().Has("list-type") {
		response.Body = &short{response.Body, maxListing}
	}
	return response, err
}

// short is a body that may have so many bytes.
type short struct {
	io.ReadCloser
	left int
}

// Read gives an error for a byte too many.
func (s *short) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if s.left -= n; s.left < 0 {
		return 0, fault.New(fault.Unavailable, "the backup store lists more than it was asked for")
	}
	return n, err
}
