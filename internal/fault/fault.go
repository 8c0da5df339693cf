package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what kind of failure it was.
type Code string

// The kinds of failure. A caller may repeat a request that ended in
// Unavailable, Timeout or InProgress as it stands; the others need a change first.
const (
	Invalid      Code = "invalid"      // the request breaks a rule; the message names the field
	Unauthorized Code = "unauthorized" // no identity, or one that has expired
	Forbidden    Code = "forbidden"    // a policy rule refuses
	NotFound     Code = "not_found"    // no such thing, or none that this caller may see
	Conflict     Code = "conflict"     // the thing is in a state that does not allow it
	OverQuota    Code = "over_quota"   // a quota would be exceeded; nothing was changed
	TooLarge     Code = "too_large"    // the body is longer than the server reads
	MediaType    Code = "media_type"   // the body is of a type that is not understood
	NotAccepted  Code = "not_accepted" // a microversion outside the range served
	Precondition Code = "precondition" // If-Match did not match
	NoSpace      Code = "no_space"     // the pool cannot hold the bytes
	Busy         Code = "busy"         // something holds the device open
	Stale        Code = "stale"        // fenced: a newer generation has been here
	Cancelled    Code = "cancelled"    // an administrator ended it before its time
	InProgress   Code = "in_progress"  // the same operation is still running
	Unsupported  Code = "unsupported"  // this backend or target cannot do it
	Unavailable  Code = "unavailable"  // a part that is needed does not answer
	Timeout      Code = "timeout"      // it took longer than the deadline; the outcome is unknown
	Internal     Code = "internal"     // anything else
)

// Fault is an error with a code.
type Fault struct {
	Code    Code
	Message string // a sentence for the caller
	Cause   error  // for the log; may be nil
}

// New makes a Fault with a formatted message.
func New(code Code, format string, args ...any) *Fault {
	return &Fault{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes a Fault that remembers what caused it.
func Wrap(cause error, code Code, format string, args ...any) *Fault {
	return &Fault{Code: code, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// Error gives the message and, after a colon, the cause: for logs only. A cause that
// says the same first is enough.
func (f *Fault) Error() string {
	if f.Cause == nil {
		return f.Message
	}
	cause := f.Cause.Error()
	if strings.HasPrefix(cause, f.Message) {
		return cause
	}
	return f.Message + ": " + cause
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// CodeOf gives the code of the outermost Fault in err's chain, Internal when
// there is none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var f *Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return Internal
}

// Is tells whether err carries the code.
func Is(err error, code Code) bool { return CodeOf(err) == code }

// MessageOf gives the sentence that may be shown to a caller: the outermost
// Fault's message, or "" when err is not a Fault.
func MessageOf(err error) string {
	var f *Fault
	if errors.As(err, &f) {
		return f.Message
	}
	return ""
}
