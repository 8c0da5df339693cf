package rpc

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/apache/thrift/lib/go/thrift"

	"clinker/internal/fault"
	"clinker/volumed/rpc/gen/node"
)

// refusalCodes are the codes that cross the wire as they are; every other one
// arrives as Internal. Unavailable and Timeout cross too: the node itself may
// be waiting for a program or a daemon.
var refusalCodes = map[fault.Code]bool{
	fault.Invalid: true, fault.Forbidden: true, fault.NotFound: true, fault.Conflict: true,
	fault.NoSpace: true, fault.Busy: true, fault.Stale: true, fault.InProgress: true, fault.Cancelled: true,
	fault.Unsupported: true, fault.Unavailable: true, fault.Timeout: true, fault.Internal: true,
}

// statusFaults is what an HTTP status other than 200 means to a client.
var statusFaults = map[int]*fault.Fault{
	http.StatusForbidden:             fault.New(fault.Forbidden, "the certificate's role does not allow this call"),
	http.StatusNotFound:              fault.New(fault.Unsupported, "this service is not offered there"),
	http.StatusRequestEntityTooLarge: fault.New(fault.TooLarge, "the call is longer than the server reads"),
	http.StatusBadGateway:            fault.New(fault.Unavailable, "the service does not answer"),
	http.StatusServiceUnavailable:    fault.New(fault.Unavailable, "the service is not ready"),
	http.StatusGatewayTimeout:        fault.New(fault.Timeout, "the service did not answer in time"),
}

// refuse makes of an implementation's error what Thrift sends; the cause is
// logged here and goes no further.
func refuse(ctx context.Context, method string, err error) *node.Refusal {
	code, message := fault.CodeOf(err), fault.MessageOf(err)
	if !refusalCodes[code] || message == "" {
		code, message = fault.Internal, "the service failed; its log says why"
	}
	level := slog.LevelInfo
	if code == fault.Internal {
		level = slog.LevelError
	}
	slog.Log(ctx, level, "call refused", "method", method, "code", string(code), "error", err,
		"request_id", RequestID(ctx))
	return &node.Refusal{Code: string(code), Message: message}
}

// fromWire makes a fault of a code and message that came from the other side.
func fromWire(code, message string) *fault.Fault {
	c := fault.Code(code)
	if !refusalCodes[c] {
		c = fault.Internal
	}
	return fault.New(c, "%s", cmp.Or(message, "the service gives no reason"))
}

// refused makes a fault of the other side's refusal, and of an answer that has
// neither that nor a result. Of any other error exchange has made one.
func refused(err error) error {
	var refusal *node.Refusal
	if errors.As(err, &refusal) {
		return fromWire(refusal.Code, refusal.Message)
	}
	return explain(context.Background(), err)
}

// explain makes a fault of whatever kept a call from being answered.
func explain(ctx context.Context, err error) error {
	var known *fault.Fault
	var unknownMethod thrift.TApplicationException
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(err, fault.Timeout, "the service did not answer in time")
	case errors.As(err, &unknownMethod) && unknownMethod.TypeId() == thrift.UNKNOWN_METHOD:
		return fault.Wrap(err, fault.Unsupported, "the service does not know this call")
	case errors.As(err, &unknownMethod), errors.As(err, new(thrift.TProtocolException)):
		return fault.Wrap(err, fault.Internal, "the service gave an answer that is not understood")
	default:
		return fault.Wrap(err, fault.Unavailable, "the service does not answer")
	}
}
