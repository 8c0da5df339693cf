package builtin

import "net/http"

// versionView is the one version served. 3.14 is what Keystone has said since
// Ussuri; clients only look at the 3.
func (s *Service) versionView() map[string]any {
	return map[string]any{
		"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
		"links": []map[string]string{{"rel": "self", "href": s.cfg.PublicURL + "/v3/"}},
		"media-types": []map[string]string{{
			"base": "application/json", "type": "application/vnd.openstack.identity-v3+json",
		}},
	}
}

// versions is the list at the root: 300, because there might be a choice.
func (s *Service) versions(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Location", s.cfg.PublicURL+"/v3/")
	answer(w, http.StatusMultipleChoices, map[string]any{
		"versions": map[string]any{"values": []any{s.versionView()}},
	})
	return nil
}

func (s *Service) version(w http.ResponseWriter, _ *http.Request) error {
	answer(w, http.StatusOK, map[string]any{"version": s.versionView()})
	return nil
}
