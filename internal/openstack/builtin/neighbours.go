package builtin

import (
	"net/http"

	"github.com/google/uuid"
)

// The openstack client wants an image service before it makes a volume, even an
// empty one, and a compute service before it makes an attachment, to turn a
// server's name into its id. Where there is neither Glance nor Nova these two
// answer what is true then: there are no images, and whatever has a UUID may be
// attached to, under that UUID. They show nothing and keep nothing.
const (
	imagePath   = "/image"
	computePath = "/compute/v2.1"
)

// neighbours are the routes of both.
func (s *Service) neighbours() map[string]act {
	return map[string]act{
		"GET " + imagePath:                           s.imageVersions,
		"GET " + imagePath + "/{$}":                  s.imageVersions,
		"GET " + imagePath + "/v2/images":            s.withCaller(emptyImages),
		"GET " + computePath + "/servers":            s.withCaller(emptyServers),
		"GET " + computePath + "/servers/detail":     s.withCaller(emptyServers),
		"GET " + computePath + "/servers/{serverID}": s.withCaller(anyServer),

		"GET " + computePath + "/limits":                           s.withCaller(noLimits),
		"GET " + computePath + "/os-quota-sets/{project}":          s.withCaller(noQuota),
		"GET " + computePath + "/os-quota-sets/{project}/defaults": s.withCaller(noQuota),
		"GET " + computePath + "/os-quota-class-sets/{quotaClass}": s.withCaller(noQuotaClass),
	}
}

func (s *Service) imageVersions(w http.ResponseWriter, _ *http.Request) error {
	answer(w, http.StatusMultipleChoices, map[string]any{"versions": []any{map[string]any{
		"id": "v2.0", "status": "CURRENT",
		"links": []any{map[string]string{"rel": "self", "href": s.cfg.PublicURL + imagePath + "/v2/"}},
	}}})
	return nil
}

func emptyImages(w http.ResponseWriter, _ *http.Request, _ *session) error {
	answer(w, http.StatusOK, map[string]any{
		"images": []string{}, "first": "/v2/images", "schema": "/v2/schemas/images",
	})
	return nil
}

func emptyServers(w http.ResponseWriter, _ *http.Request, _ *session) error {
	answer(w, http.StatusOK, map[string]any{"servers": []string{}})
	return nil
}

// The client shows the quotas and limits of all services together: these have none.

func noLimits(w http.ResponseWriter, _ *http.Request, _ *session) error {
	answer(w, http.StatusOK, map[string]any{"limits": map[string]any{"rate": []string{}, "absolute": map[string]int{}}})
	return nil
}

func noQuota(w http.ResponseWriter, r *http.Request, _ *session) error {
	answer(w, http.StatusOK, map[string]any{"quota_set": map[string]string{"id": r.PathValue("project")}})
	return nil
}

func noQuotaClass(w http.ResponseWriter, r *http.Request, _ *session) error {
	answer(w, http.StatusOK, map[string]any{"quota_class_set": map[string]string{"id": r.PathValue("quotaClass")}})
	return nil
}

// anyServer takes a UUID for the server of that id, in the caller's project.
func anyServer(w http.ResponseWriter, r *http.Request, caller *session) error {
	id, err := uuid.Parse(r.PathValue("serverID"))
	if err != nil {
		return problem(http.StatusNotFound, "Without Nova a server is named by its UUID; %s is none.", r.PathValue("serverID"))
	}
	server := map[string]any{"id": id.String(), "name": id.String(), "links": []string{}}
	if caller.project != nil {
		server["tenant_id"] = caller.project.ID
	}
	answer(w, http.StatusOK, map[string]any{"server": server})
	return nil
}
