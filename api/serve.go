package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"clinker/internal/fault"
	"clinker/internal/telemetry"
)

type callKey struct{}

// callOf finds the Call that ServeHTTP put into the request's context.
func callOf(r *http.Request) *Call { return r.Context().Value(callKey{}).(*Call) }

// ServeHTTP takes a request from its arrival to its answer: request id,
// identity, project, route; whatever goes wrong is answered and logged once.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	c := &Call{server: s, RequestID: newRequestID(), header: w.Header(), Query: readQuery(r.URL.RawQuery)}
	ctx := telemetry.WithRequest(r.Context(), c.RequestID)
	if global := r.Header.Get("X-OpenStack-Request-ID"); globalID.MatchString(global) {
		ctx = telemetry.WithRequest(ctx, c.RequestID+" "+global)
	}
	c.request = singleSlashes(r.WithContext(context.WithValue(ctx, callKey{}, c)))
	c.header.Set("X-Openstack-Request-Id", c.RequestID)
	c.header.Set("X-Compute-Request-Id", c.RequestID)
	counted := &countingWriter{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		if failure := recover(); failure != nil {
			slog.ErrorContext(ctx, "a handler panicked", "panic", failure, "stack", string(debug.Stack()))
			c.fail(counted, fault.New(fault.Internal, "panic"))
		}
		c.endTurn()
		logAccess(c, counted, time.Since(begin))
	}()
	s.serve(c, counted)
}

func (s *Server) serve(c *Call, w http.ResponseWriter) {
	if s.serveOpen(c, w) {
		return
	}
	if !s.authenticate(c, w) || !s.splitPath(c, w) {
		return
	}
	s.router.ServeHTTP(w, c.request)
}

// globalID is the form of a request id that another service passes on.
var globalID = regexp.MustCompile(`^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562 version 4
	text := hex.EncodeToString(b[:])
	return "req-" + text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// countingWriter remembers what was answered, for the access log.
type countingWriter struct {
	http.ResponseWriter
	status, bytes int
}

func (w *countingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes += n
	return n, err
}

func logAccess(c *Call, w *countingWriter, took time.Duration) {
	slog.InfoContext(c.Context(), "request", "method", c.request.Method, "path", c.request.URL.Path,
		"status", w.status, "bytes", w.bytes, "ms", took.Milliseconds(), "operation", c.route.Name,
		"project", c.Identity.ProjectID, "user", c.Identity.UserID)
}
