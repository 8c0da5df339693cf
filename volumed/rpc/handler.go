package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/apache/thrift/lib/go/thrift"

	"clinker/volumed/rpc/gen/node"
)

// maxRequest bounds a call, in bytes; the longest, a grant, has a few hundred.
const maxRequest = 256 << 10

// PeerCheck says whether the other end of a connection, whose certificate has
// been verified, may call; its error goes to the log, and the caller gets HTTP
// status 403.
type PeerCheck func(connection tls.ConnectionState) error

func init() {
	// Thrift's own check for a client that has gone is a goroutine and a
	// ticker for each call, and can be turned off for the whole process
	// only; net/http cancels the request's context.
	thrift.ServerConnectivityCheckInterval = 0
}

// Handler serves a node's calls at VolumedPath. The TLS configuration of its
// http.Server must demand and verify client certificates.
func Handler(impl Volumed, allow PeerCheck) http.Handler {
	return handler{node.NewVolumedProcessor(nodeServer{impl}), allow}
}

// RegistryHandler serves nodes' announcements at RegistryPath, likewise.
func RegistryHandler(impl Registry, allow PeerCheck) http.Handler {
	return handler{node.NewRegistryProcessor(registryServer{impl}), allow}
}

type handler struct {
	processor thrift.TProcessor
	allow     PeerCheck
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := served(r)
	defer cancel()
	if err := h.permit(r); err != nil {
		slog.WarnContext(ctx, "caller refused", "from", r.RemoteAddr, "error", err, "request_id", RequestID(ctx))
		http.Error(w, "the certificate's role does not allow this call", http.StatusForbidden)
		return
	}
	request, status := read(w, r)
	if status != http.StatusOK {
		http.Error(w, http.StatusText(status), status)
		return
	}
	h.process(ctx, w, request)
}

// permit tells why the caller may not call, nil if it may.
func (h handler) permit(r *http.Request) error {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return errors.New("no verified certificate")
	}
	if h.allow == nil {
		return errors.New("no rule says who may call")
	}
	return h.allow(*r.TLS)
}

// read takes the whole call before any of it is carried out: net/http watches
// for a client that goes away only when the body has been read to its end.
func read(w http.ResponseWriter, r *http.Request) (*thrift.TMemoryBuffer, int) {
	if r.Method != http.MethodPost {
		return nil, http.StatusMethodNotAllowed
	}
	buffer := thrift.NewTMemoryBufferLen(int(max(0, min(r.ContentLength, maxRequest))))
	_, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, maxRequest))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge
	case err != nil && !errors.Is(err, io.EOF):
		return nil, http.StatusBadRequest
	}
	return buffer, http.StatusOK
}

func (h handler) process(ctx context.Context, w http.ResponseWriter, request *thrift.TMemoryBuffer) {
	answer := thrift.NewTMemoryBufferLen(512)
	limits := &thrift.TConfiguration{MaxMessageSize: maxRequest}
	_, err := h.processor.Process(ctx,
		thrift.NewTCompactProtocolConf(request, limits), thrift.NewTCompactProtocolConf(answer, nil))
	if answer.Len() == 0 {
		slog.WarnContext(ctx, "call not understood", "error", err, "request_id", RequestID(ctx))
		http.Error(w, "not a Thrift call", http.StatusBadRequest)
		return
	}
	w.Header()["Content-Type"] = []string{contentType}
	w.Header()["Content-Length"] = []string{strconv.Itoa(answer.Len())}
	if _, err := w.Write(answer.Bytes()); err != nil {
		slog.InfoContext(ctx, "caller gone before its answer", "error", err, "request_id", RequestID(ctx))
	}
}
