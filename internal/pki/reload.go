package pki

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// reloader serves a certificate and reads it again when its file has changed:
// a renewal needs no restart. A file that cannot be read, or does not match its
// key yet, leaves the certificate of before in place.
type reloader struct {
	certFile, keyFile string

	mu     sync.Mutex
	pair   *tls.Certificate
	seen   os.FileInfo // of certFile, when it was read
	broken string      // the last failure logged, so as to log it once
}

func newReloader(cert, key string) (*reloader, error) {
	r := &reloader{certFile: cert, keyFile: key}
	now, err := os.Stat(r.certFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("load %s with its key: %w", cert, err)
	}
	r.pair, r.seen = &pair, now
	return r, nil
}

// current gives the certificate for a handshake. Looking at the file costs a
// microsecond beside the handshake's hundreds.
func (r *reloader) current() *tls.Certificate {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, err := os.Stat(r.certFile)
	if err == nil && same(now, r.seen) {
		return r.pair
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(r.certFile, r.keyFile); err == nil {
			r.pair, r.seen, r.broken = &pair, now, ""
			return r.pair
		}
	}
	if text := err.Error(); text != r.broken {
		r.broken = text
		slog.WarnContext(context.Background(), "certificate not reloaded, the one of before stays in use", "file", r.certFile, "error", text)
	}
	return r.pair
}

// same tells, without reading it, whether a file is as it was.
func same(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
