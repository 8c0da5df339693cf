package carry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
)

const (
	volumeID  = "5f1c0d5e-9d1b-4b7e-8f3a-0a1b2c3d4e5f"
	otherID   = "00000000-1111-2222-3333-444444444444"
	initiator = "iqn.1993-08.org.debian:01:test"
	password  = "0123456789abcdef0123456789abcdef"
)

// service is a small block storage service with one volume, or more.
type service struct {
	t       testing.TB
	server  *httptest.Server
	trap    *trap
	lun     int
	portals []string // all of the target; none for 127.0.0.1:3260
	// changed hears of every grant that comes or goes; nil in fakes of the kernel.
	changed func(username, initiator string, there bool)

	mu          sync.Mutex
	volumes     map[string]map[string]any
	attachments map[string]map[string]any
	made        int
	encrypted   bool // all volumes
}

func newService(t testing.TB, trap *trap) *service {
	s := &service{t: t, trap: trap, lun: 1, volumes: map[string]map[string]any{}, attachments: map[string]map[string]any{}}
	s.volume(volumeID, "data", 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v3/volumes/{id}", s.showVolume)
	mux.HandleFunc("GET /v3/volumes/detail", s.listVolumes)
	mux.HandleFunc("GET /v3/volumes/{id}/encryption", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, map[string]any{"encryption_key_id": otherID, "provider": "luks", "control_location": "front-end", "cipher": "aes-xts-plain64", "key_size": 256})
	})
	mux.HandleFunc("GET /v3/attachments/detail", s.listAttachments)
	mux.HandleFunc("POST /v3/attachments", s.createAttachment)
	mux.HandleFunc("GET /v3/attachments/{id}", s.showAttachment)
	mux.HandleFunc("POST /v3/attachments/{id}/action", s.complete)
	mux.HandleFunc("DELETE /v3/attachments/{id}", s.deleteAttachment)
	s.server = httptest.NewServer(s.trapped(mux))
	t.Cleanup(s.server.Close)
	return s
}

// trapped lets the trap cut the line before the request is served, or after.
func (s *service) trapped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("OpenStack-API-Version"); got != "volume "+microversion {
			s.t.Errorf("%s %s: microversion %q", r.Method, r.URL, got)
		}
		before, after := s.trap.step()
		if !before {
			answer := httptest.NewRecorder()
			s.mu.Lock()
			next.ServeHTTP(answer, r)
			s.mu.Unlock()
			if !after {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(answer.Code)
				w.Write(answer.Body.Bytes())
				return
			}
		}
		panic(http.ErrAbortHandler)
	})
}

func (s *service) cloud() *Cloud {
	provider := &gophercloud.ProviderClient{TokenID: "token",
		HTTPClient: http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	return NewCloud(&gophercloud.ServiceClient{ProviderClient: provider, Endpoint: s.server.URL + "/v3/", Type: "block-storage"})
}

func (s *service) volume(id, name string, size int) {
	s.volumes[id] = map[string]any{"id": id, "name": name, "size": size, "status": "available"}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, name, message string) {
	answer(w, status, map[string]any{name: map[string]any{"code": status, "message": message}})
}

func (s *service) showVolume(w http.ResponseWriter, r *http.Request) {
	if v := s.volumes[r.PathValue("id")]; v != nil {
		answer(w, 200, map[string]any{"volume": v})
		return
	}
	refuse(w, 404, "itemNotFound", "Volume "+r.PathValue("id")+" could not be found.")
}

func (s *service) listVolumes(w http.ResponseWriter, r *http.Request) {
	found := []any{}
	for _, v := range s.volumes {
		if v["name"] == r.FormValue("name") {
			found = append(found, v)
		}
	}
	answer(w, 200, map[string]any{"volumes": found})
}

func (s *service) listAttachments(w http.ResponseWriter, r *http.Request) {
	found := []any{}
	for _, a := range s.attachments {
		if a["volume_id"] == r.FormValue("volume_id") {
			found = append(found, a)
		}
	}
	answer(w, 200, map[string]any{"attachments": found})
}

func (s *service) createAttachment(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Attachment struct {
			Volume    string         `json:"volume_uuid"`
			Instance  *string        `json:"instance_uuid"`
			Connector map[string]any `json:"connector"`
			Mode      string         `json:"mode"`
		} `json:"attachment"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Attachment.Instance != nil {
		refuse(w, 400, "badRequest", "instance_uuid is not a UUID")
		return
	}
	v := s.volumes[body.Attachment.Volume]
	if v["status"] != "available" {
		refuse(w, 400, "badRequest", fmt.Sprintf("Invalid volume: Volume %s status must be available", v["id"]))
		return
	}
	v["status"] = "attaching"
	answer(w, 200, map[string]any{"attachment": s.attach(v["id"].(string), body.Attachment.Connector["initiator"], body.Attachment.Mode)})
}

// attach makes an attachment for an initiator, whoever that is.
func (s *service) attach(volume string, initiator any, mode string) map[string]any {
	s.made++
	id := fmt.Sprintf("aaaaaaaa-0000-0000-0000-%012d", s.made)
	a := map[string]any{"id": id, "volume_id": volume, "instance": nil, "status": "attaching", "attached_at": "", "detached_at": "",
		"connection_info": map[string]any{
			"driver_volume_type": "iscsi", "attachment_id": id, "target_iqn": "iqn.2010-10.org.openstack:volume-" + volume,
			"target_portal": "127.0.0.1:3260", "target_lun": s.lun, "auth_method": "CHAP", "auth_username": "user-" + id,
			"auth_password": password, "access_mode": mode, "for": initiator, "encrypted": s.encrypted,
		}}
	if len(s.portals) > 0 {
		info := a["connection_info"].(map[string]any)
		info["target_portal"], info["target_portals"] = s.portals[0], s.portals
	}
	s.attachments[id] = a
	s.tell(a, true)
	return a
}

func (s *service) tell(a map[string]any, there bool) {
	if s.changed != nil {
		info := a["connection_info"].(map[string]any)
		s.changed(info["auth_username"].(string), fmt.Sprint(info["for"]), there)
	}
}

func (s *service) showAttachment(w http.ResponseWriter, r *http.Request) {
	if a := s.attachments[r.PathValue("id")]; a != nil {
		answer(w, 200, map[string]any{"attachment": a})
		return
	}
	refuse(w, 404, "itemNotFound", "Volume attachment could not be found with filter: attachment_id = "+r.PathValue("id")+".")
}

func (s *service) complete(w http.ResponseWriter, r *http.Request) {
	a := s.attachments[r.PathValue("id")]
	if a == nil {
		s.showAttachment(w, r)
		return
	}
	a["status"] = "attached"
	s.volumes[a["volume_id"].(string)]["status"] = "in-use"
	w.WriteHeader(204)
}

func (s *service) deleteAttachment(w http.ResponseWriter, r *http.Request) {
	a := s.attachments[r.PathValue("id")]
	if a == nil {
		s.showAttachment(w, r)
		return
	}
	s.volumes[a["volume_id"].(string)]["status"] = "available"
	delete(s.attachments, r.PathValue("id"))
	s.tell(a, false)
	answer(w, 200, map[string]any{"attachments": []any{}})
}

// grants tells whether the target would let the initiator in.
func (s *service) grants(c Connection, initiator string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.attachments {
		info := a["connection_info"].(map[string]any)
		if info["auth_username"] == c.Username && info["for"] == initiator && password == string(c.Password) {
			return true
		}
	}
	return false
}

func TestVolumeByIDOrName(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	s.volume(otherID, "twin", 1)
	s.volume("00000000-1111-2222-3333-555555555555", "twin", 1)
	uuidName := "99999999-9999-9999-9999-999999999999"
	s.volume("00000000-1111-2222-3333-666666666666", uuidName, 1)
	for _, c := range []struct {
		reference, id string
		code          fault.Code
	}{
		{volumeID, volumeID, ""},
		{"data", volumeID, ""},
		{uuidName, "00000000-1111-2222-3333-666666666666", ""},
		{"twin", "", fault.Conflict},
		{"nothing", "", fault.NotFound},
		{"12345678-9999-9999-9999-999999999999", "", fault.NotFound},
	} {
		volume, err := s.cloud().Volume(t.Context(), c.reference)
		if fault.CodeOf(err) != c.code || err == nil && volume.ID != c.id {
			t.Errorf("%s: got %v %v", c.reference, volume, err)
		}
	}
}

func TestExplainTakesTheServicesSentence(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	s.volumes[volumeID]["status"] = "error"
	_, err := s.cloud().Attach(t.Context(), request{volumeID: volumeID})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "status must be available") {
		t.Errorf("got %v", err)
	}
	s.server.Close()
	if _, err := s.cloud().Attachment(t.Context(), "x"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("closed: got %v", err)
	}
}
