package rpc

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

const (
	// headerRequestID carries the id that a user's request has in every log.
	headerRequestID = "X-Request-Id"
	// headerTimeout carries how many milliseconds the caller still waits, so
	// that the server answers Running before the caller gives up. A time left
	// and not a time of day: clocks differ.
	headerTimeout = "X-Timeout-Ms"

	// maxRequestID bounds what a caller can write into a log line, in bytes.
	maxRequestID = 128
)

type requestIDKey struct{}

// WithRequestID gives calls made under the context, and the log lines of the
// server that serves them, the id of the user's request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID gives the id of the user's request, "" when there is none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// setHeaders tells the server what of the context it must know.
func setHeaders(ctx context.Context, h http.Header) {
	if id := RequestID(ctx); id != "" {
		h.Set(headerRequestID, id)
	}
	if deadline, ok := ctx.Deadline(); ok {
		h.Set(headerTimeout, strconv.FormatInt(time.Until(deadline).Milliseconds(), 10))
	}
}

// served gives the context of a call: the request's, which net/http cancels
// when the client goes away, with the client's deadline and request id.
func served(r *http.Request) (context.Context, context.CancelFunc) {
	ctx := r.Context()
	if id := r.Header.Get(headerRequestID); id != "" && len(id) <= maxRequestID {
		ctx = WithRequestID(ctx, id)
	}
	ms, err := strconv.ParseInt(r.Header.Get(headerTimeout), 10, 32)
	if err != nil || ms < 0 {
		ms = defaultTimeout.Milliseconds()
	}
	return context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
}
