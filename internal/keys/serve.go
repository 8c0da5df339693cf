package keys

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"clinker/internal/fault"
	"clinker/internal/openstack/identity"
)

// ServedAt is the path under which Handler is served, beside the volume API.
const ServedAt = "/key-manager"

// roles are those of which a caller needs one to read a key: those who may only
// look at volumes may not look into them.
var roles = []string{"member", "creator", identity.RoleAdmin}

// face is Handler's.
type face struct {
	local *Local
	who   identity.Authenticator
}

// Handler serves the keys of a local store to their projects, over the part of
// Barbican's API (version 1) that reads secrets: what Nova, os-brick and clinker
// attach need. There is nothing to write with. An administrator of the cloud reads
// no other project's keys.
func Handler(l *Local, who identity.Authenticator) http.Handler {
	f := face{l, who}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+ServedAt+"/{$}", f.versions)
	mux.HandleFunc("GET "+ServedAt, f.versions)
	mux.HandleFunc("GET "+ServedAt+"/v1/{$}", f.version)
	mux.HandleFunc("GET "+ServedAt+"/v1", f.version)
	mux.HandleFunc("GET "+ServedAt+"/v1/secrets/{id}", f.admitted(f.secret))
	mux.HandleFunc("GET "+ServedAt+"/v1/secrets/{id}/payload", f.admitted(f.payload))
	mux.HandleFunc(ServedAt+"/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			refuse(w, http.StatusMethodNotAllowed, "Keys are only read here.")
			return
		}
		refuse(w, http.StatusNotFound, "Not Found.")
	})
	return mux
}

// base is the URL under which the caller has found us.
func base(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host + ServedAt
}

func versionView(r *http.Request) map[string]any {
	return map[string]any{"id": "v1", "status": "CURRENT", "min_version": "1.0", "max_version": "1.0",
		"links": []any{map[string]any{"rel": "self", "href": base(r) + "/v1/"}}}
}

func (face) versions(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusMultipleChoices, map[string]any{"versions": []any{versionView(r)}})
}

func (face) version(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, map[string]any{"version": versionView(r)})
}

// admitted finds out who asks, and finds the key in their project.
func (f face) admitted(give func(http.ResponseWriter, *http.Request, Bearer, Sealed)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := f.who.Authenticate(r.Context(), r.Header.Get("X-Auth-Token"), "")
		if err != nil {
			refuseAs(w, r, err)
			return
		}
		if who.ProjectID == "" || !slices.ContainsFunc(who.Roles, func(role string) bool { return slices.Contains(roles, role) }) {
			refuse(w, http.StatusForbidden, "Reading keys needs one of the roles member, creator and admin in the key's project.")
			return
		}
		b := Bearer{ProjectID: who.ProjectID, UserID: who.UserID}
		row, err := f.local.Row(r.Context(), b, r.PathValue("id"))
		if err == nil && len(row.Sealed) == 0 {
			err = noKey(row.ID)
		}
		if err != nil {
			refuseAs(w, r, err)
			return
		}
		give(w, r, b, row)
	}
}

// Barbican's times have no zone.
const timeForm = "2006-01-02T15:04:05"

func (f face) secret(w http.ResponseWriter, r *http.Request, b Bearer, row Sealed) {
	if accepts(r, octets) && !accepts(r, "application/json") { // the older way to ask for the payload
		f.payload(w, r, b, row)
		return
	}
	made := row.CreatedAt.UTC().Format(timeForm)
	answer(w, http.StatusOK, map[string]any{
		"secret_ref": base(r) + "/v1/secrets/" + row.ID, "name": row.Name, "status": "ACTIVE", "secret_type": "symmetric",
		"algorithm": row.Algorithm, "bit_length": row.Bits, "mode": nil, "creator_id": row.UserID, "expiration": nil,
		"created": made, "updated": made, "content_types": map[string]string{"default": octets},
	})
}

const octets = "application/octet-stream"

// accepts reads an Accept header as far as it matters here.
func accepts(r *http.Request, kind string) bool {
	given := r.Header.Values("Accept")
	if len(given) == 0 {
		return true
	}
	for part := range strings.SplitSeq(strings.Join(given, ","), ",") {
		name, _, _ := strings.Cut(part, ";")
		if name = strings.TrimSpace(name); name == kind || name == "*/*" || name == "application/*" {
			return true
		}
	}
	return false
}

func (f face) payload(w http.ResponseWriter, r *http.Request, b Bearer, row Sealed) {
	if !accepts(r, octets) {
		refuse(w, http.StatusNotAcceptable, "The key is given as application/octet-stream.")
		return
	}
	k, err := f.local.Key(r.Context(), b, row.ID)
	if err != nil {
		refuseAs(w, r, err)
		return
	}
	slog.InfoContext(r.Context(), "key read", "key", row.ID, "by", b)
	w.Header().Set("Content-Type", octets)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(k.Material)))
	_, _ = w.Write(k.Material)
}

// refuseAs answers with a fault; what is unknown stays in the log.
func refuseAs(w http.ResponseWriter, r *http.Request, err error) {
	status, known := map[fault.Code]int{
		fault.NotFound: http.StatusNotFound, fault.Unauthorized: http.StatusUnauthorized,
		fault.Forbidden: http.StatusForbidden, fault.Unavailable: http.StatusServiceUnavailable,
	}[fault.CodeOf(err)]
	if !known {
		slog.ErrorContext(r.Context(), "key not read", "key", r.PathValue("id"), "error", err)
		refuse(w, http.StatusInternalServerError, "The key cannot be read; the log says why.")
		return
	}
	refuse(w, status, fault.MessageOf(err))
}

// refuse answers as Barbican does.
func refuse(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]any{"code": status, "title": http.StatusText(status), "description": text})
}

func answer(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		status, raw = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}
