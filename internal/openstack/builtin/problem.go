package builtin

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"clinker/internal/fault"
)

// httpProblem is a refusal in HTTP's terms: this package speaks nothing else.
type httpProblem struct {
	status  int
	message string
}

func (p *httpProblem) Error() string { return p.message }

func problem(status int, format string, args ...any) *httpProblem {
	return &httpProblem{status, fmt.Sprintf(format, args...)}
}

// errWrongPassword is also the answer for an unknown user, an unknown project
// and one in which the user has no role: Keystone's words.
var errWrongPassword = problem(http.StatusUnauthorized, "The request you have made requires authentication.")

var errForbidden = problem(http.StatusForbidden, "You are not authorized to perform the requested action.")

// keystoneError is how Keystone shapes a refusal.
type keystoneError struct {
	Code    int    `json:"code"`
	Title   string `json:"title"`
	Message string `json:"message"`
}

// refuse answers with the error. One that is neither an httpProblem nor an
// Unauthorized fault is ours: a 500 that shows nothing from inside.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var p *httpProblem
	switch {
	case errors.As(err, &p):
	case fault.Is(err, fault.Unauthorized):
		p = problem(http.StatusUnauthorized, "%s", fault.MessageOf(err))
	default:
		slog.ErrorContext(r.Context(), "built-in identity failed", "path", r.URL.Path, "error", err)
		p = problem(http.StatusInternalServerError, "An unexpected error prevented the server from fulfilling your request.")
	}
	switch p.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", fmt.Sprintf("Keystone uri=%q", s.cfg.PublicURL))
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	}
	answer(w, p.status, map[string]any{"error": keystoneError{p.status, http.StatusText(p.status), p.message}})
}

// answer writes a JSON body. The client may have gone: there is nobody to tell.
func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "X-Auth-Token")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
