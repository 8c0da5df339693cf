package builtin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// authRequest is the body of POST /v3/auth/tokens.
type authRequest struct {
	Auth *struct {
		Identity *struct {
			Methods  []string `json:"methods"`
			Password *struct {
				User *userRef `json:"user"`
			} `json:"password"`
			Token *struct {
				ID string `json:"id"`
			} `json:"token"`
		} `json:"identity"`
		Scope json.RawMessage `json:"scope"`
	} `json:"auth"`
}

type userRef struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Domain   *domainRef `json:"domain"`
	Password string     `json:"password"`
}

type domainRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// isOurs tells whether the reference means the one domain there is.
func (d *domainRef) isOurs() bool {
	if d.ID != "" {
		return d.ID == domainID
	}
	return d.Name == DomainName
}

func (d *domainRef) missing() bool { return d == nil || d.ID == "" && d.Name == "" }

// scopeRequest is auth.scope when it is an object.
type scopeRequest struct {
	Project *struct {
		ID     string     `json:"id"`
		Name   string     `json:"name"`
		Domain *domainRef `json:"domain"`
	} `json:"project"`
	Unscoped json.RawMessage `json:"unscoped"`
	System   json.RawMessage `json:"system"`
	Domain   json.RawMessage `json:"domain"`
	Trust    json.RawMessage `json:"OS-TRUST:trust"`
}

func readAuthRequest(r *http.Request) (*authRequest, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return nil, problem(http.StatusRequestEntityTooLarge, "The body is longer than %d bytes.", long.Limit)
		}
		return nil, problem(http.StatusBadRequest, "The body could not be read to its end.")
	}
	var req authRequest
	if err := decode(text, &req); err != nil {
		return nil, err
	}
	switch {
	case req.Auth == nil:
		return nil, problem(http.StatusBadRequest, "Expecting to find auth in the request body.")
	case req.Auth.Identity == nil:
		return nil, problem(http.StatusBadRequest, "Expecting to find identity in auth.")
	case len(req.Auth.Identity.Methods) == 0:
		return nil, problem(http.StatusBadRequest, "Expecting to find methods in auth.identity: [\"password\"] or [\"token\"].")
	}
	return &req, nil
}

// decode turns json's errors into sentences. It never quotes the body, which may
// hold a password.
func decode(text []byte, into any) error {
	err := json.Unmarshal(text, into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return problem(http.StatusBadRequest, "%s must not be a JSON %s.", fieldName(wrong), wrong.Value)
	default:
		return problem(http.StatusBadRequest, "The body is not valid JSON.")
	}
}

func fieldName(err *json.UnmarshalTypeError) string {
	if err.Field == "" {
		return "The value"
	}
	return err.Field
}
