package api

import "testing"

// TestHealthOfASilentDatabase: a load balancer is told, and does not wait for its turn.
func TestHealthOfASilentDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range w.db.Pool().Config().MaxConns {
		conn, err := w.db.Pool().Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
	}
	w.do("", "GET", "/healthcheck", "").want(t, 503)
}
