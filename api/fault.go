package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"clinker/internal/fault"
)

// statusOf is the one table from faults to HTTP. What is not in it is a 500.
var statusOf = map[fault.Code]int{
	fault.Invalid:      http.StatusBadRequest,
	fault.Unauthorized: http.StatusUnauthorized,
	fault.Forbidden:    http.StatusForbidden,
	fault.NotFound:     http.StatusNotFound,
	fault.Conflict:     http.StatusConflict,
	fault.NotAccepted:  http.StatusNotAcceptable,
	fault.Precondition: http.StatusPreconditionFailed,
	fault.TooLarge:     http.StatusRequestEntityTooLarge,
	fault.OverQuota:    http.StatusRequestEntityTooLarge,
	fault.MediaType:    http.StatusUnsupportedMediaType,
	fault.Unsupported:  http.StatusNotImplemented,
	attachFailed:       http.StatusInternalServerError,
	misconfigured:      http.StatusInternalServerError,
	backendSilent:      http.StatusBadGateway,
	fault.Unavailable:  http.StatusServiceUnavailable,
	fault.Timeout:      http.StatusGatewayTimeout,
}

// misconfigured is the operator's mistake, which the caller may be told of.
const misconfigured fault.Code = "misconfigured"

// faultNames are the keys under which Cinder's fault wrapper answers; all other
// statuses are a computeFault.
var faultNames = map[int]name{
	http.StatusBadRequest:            "badRequest",
	http.StatusUnauthorized:          "unauthorized",
	http.StatusForbidden:             "forbidden",
	http.StatusNotFound:              "itemNotFound",
	http.StatusMethodNotAllowed:      "badMethod",
	http.StatusConflict:              "conflictingRequest",
	http.StatusRequestEntityTooLarge: "overLimit",
	http.StatusUnsupportedMediaType:  "badMediaType",
	http.StatusNotImplemented:        "notImplemented",
	http.StatusServiceUnavailable:    "serviceUnavailable",
}

// errorStatus gives an error's status and the sentence to answer. Of an error
// that is no fault nothing is shown but the request id.
func errorStatus(ctx context.Context, err error, requestID string) (int, string) {
	code := fault.CodeOf(err)
	status, known := statusOf[code]
	if errors.Is(err, context.Canceled) {
		slog.DebugContext(ctx, "the client went away", "error", err)
		return http.StatusServiceUnavailable, "The request was given up."
	}
	if !known {
		slog.ErrorContext(ctx, "request failed", "error", err)
		return http.StatusInternalServerError, "An unknown exception occurred. The request id is " + requestID + "."
	}
	if status >= http.StatusInternalServerError {
		slog.WarnContext(ctx, "request failed", "error", err)
	}
	return status, fault.MessageOf(err)
}

// faultView is Cinder's body for an error.
func faultView(status int, message string) View {
	name := faultNames[status]
	if name == "" {
		name = "computeFault"
	}
	return func(o object) {
		o.object(name, func(o object) {
			o.int("code", status)
			o.str("message", message)
			if status == http.StatusRequestEntityTooLarge {
				o.str("retryAfter", "0")
			}
		})
	}
}

// badRequest turns a Conflict about a status into the 400 that Cinder answers
// for most of them.
func badRequest(err error) error {
	if fault.Is(err, fault.Conflict) {
		return fault.Wrap(err, fault.Invalid, "Invalid volume: %s", fault.MessageOf(err))
	}
	return err
}
