package api

import (
	"testing"

	"clinker/db"
	"clinker/internal/fault"
)

// TestUploadedProperties: an image gets what the volume knows of its own, save what
// every image has itself and what belongs to that one.
func TestUploadedProperties(t *testing.T) {
	t.Parallel()
	s := &Server{Options: Options{ReservedImageNamespaces: []string{"ours_"}}}
	got := s.uploadedProperties(db.StringMap{"hw_disk_bus": "scsi", "image_id": "x", "checksum": "x", "size": "1", "min_disk": "1", "os_glance_x": "y",
		"img_signature_hash_method": "z", "ours_x": "1", "os_type": "linux"})
	if len(got) != 2 || got["hw_disk_bus"] != "scsi" || got["os_type"] != "linux" {
		t.Error(got)
	}
}

// TestForceIsTheOperators: where it is not enabled, it is not heard.
func TestForceIsTheOperators(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.ForceUpload = false })
	s := w.script()
	r := w.do("member", "POST", "/v3/volumes/"+s.fill("{used}")+"/action", `{"os-volume_upload_image": {"image_name": "i", "force": true}}`).want(t, 400)
	if r.message() != "Invalid volume: Volume "+s.fill("{used}")+" status must be available" {
		t.Error(r.body)
	}
}

// TestUploadIsRemembered: before the image service is asked the volume is uploading,
// and what it is asked for is known; then there is a job.
func TestUploadIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", "")
	r := w.do("member@1", "POST", "/v3/volumes/"+id+"/action", `{"os-volume_upload_image": {"image_name": "i", "disk_format": "qcow2"}}`).want(t, 202)
	image := r.at("os-volume_upload_image", "image_id").(string)
	u, err := w.db.ImageUpload(t.Context(), image)
	if err != nil || u.VolumeID != id || u.State != db.UploadWaiting || u.DiskFormat != "qcow2" {
		t.Errorf("%+v %v", u, err)
	}
	// What the image service refused is forgotten at once; what nobody knows of is
	// left to a job.
	other := w.volume("member", "")
	w.do("member", "POST", "/v3/volumes/"+other+"/action", `{"os-volume_upload_image": {"image_name": "i", "container_format": "tar"}}`).want(t, 400)
	w.do("member", "POST", "/v3/volumes/"+other+"/action", `{"os-volume_upload_image": {"image_name": "silent"}}`).want(t, 503)
	left, err := w.db.LostUploads(t.Context(), 0, 10)
	if err != nil || len(left) != 0 {
		t.Errorf("%+v %v", left, err)
	}
	var dropped int
	if err := w.db.Pool().QueryRow(t.Context(), "SELECT count(*) FROM image_uploads WHERE volume_id = $1 AND state = 'failed'", other).Scan(&dropped); err != nil || dropped != 1 {
		t.Errorf("%d %v", dropped, err)
	}
	if _, err := w.db.ImageUpload(t.Context(), missing); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}
