// Package telemetry sets up logs, and carries the id of a request from the REST
// API through jobs to the storage nodes, so that one grep finds all that a
// request caused.
package telemetry

import (
	"context"
	"io"
	"log/slog"
)

type requestKey struct{}

// WithRequest marks a context as working for a request (req-…).
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// requestOf gives the id of the request that a context works for, "" for none.
func requestOf(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// Log makes the process's default logger: text for terminals, or JSON; each line
// carries its context's request id. SetLevel changes the level later.
func Log(w io.Writer, level slog.Level, json bool) {
	setRoot(level)
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	var handler slog.Handler = slog.NewTextHandler(w, options)
	if json {
		handler = slog.NewJSONHandler(w, options)
	}
	slog.SetDefault(slog.New(levelHandler{requestHandler{handler}}))
}

// requestHandler adds the request id to each record.
type requestHandler struct{ slog.Handler }

func (h requestHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := requestOf(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attrs)}
}

func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name)}
}
