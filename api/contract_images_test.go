package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"clinker/db"
)

// What the contract's tables say of volumes that become images, and get them; see
// contract_test.go.
func init() {
	maps.Copy(moreWords, map[string]func(*script) string{
		"image":     func(*script) string { return imageIDOf("fine") },
		"large":     func(*script) string { return imageIDOf("large") },
		"queued":    func(*script) string { return imageIDOf("queued") },
		"signed":    func(*script) string { return imageIDOf("signed") },
		"uploading": func(s *script) string { return s.uploading() },
		"shared":    func(s *script) string { return s.attachedTwice() },
	})
	const upload, reimage = `/volumes/{free}/action {"os-volume_upload_image": {"image_name": "i"`, `/volumes/{free}/action {"os-reimage": {"image_id": `
	maps.Copy(errorScripts, map[string][]string{
		"volume_actions.upload_image|volume in use": {
			`member POST /volumes/{used}/action {"os-volume_upload_image": {"image_name": "i"}} -> 400 Invalid volume: Volume {used} status must be available`,
			`member POST /volumes/{used}/action {"os-volume_upload_image": {"image_name": "i", "force": true}} -> 202`,
			`member GET /volumes/{used} -> 200 "status":"uploading"`,
			`member POST /volumes/{used}/action {"os-volume_upload_image": {"image_name": "i", "force": "True"}} -> 400 Invalid volume: Volume {used} status must be available or in-use`,
			`member POST /volumes/{error}/action {"os-volume_upload_image": {"image_name": "i", "force": true}} -> 400 Invalid volume: Volume {error} status must be available or in-use`,
			`reader POST ` + upload + `}} -> 403 volume_extension:volume_actions:upload_image`,
			`other POST ` + upload + `}} -> 404`,
			`member POST ` + upload + `, "container_format": "tar"}} -> 400 Invalid container format 'tar' for image.`,
			`member POST ` + upload + `, "container_format": "compressed"}} -> 400 Image compression disallowed, but container_format is compressed.`,
			`member GET /volumes/{free} -> 200 "status":"available"`,
			`member POST /volumes/{free}/action {"os-volume_upload_image": {"image_name": "silent"}} -> 503`,
			`member GET /volumes/{free} -> 200 "status":"available"`,
			`member POST ` + upload + `, "disk_format": "ami"}} -> 400 disk_format`,
			`member POST ` + upload + `, "visibility": "private"}} -> 400 visibility`,
			`member@1 POST ` + upload + `, "visibility": "mine"}} -> 400 visibility`,
			`member POST ` + upload + `, "container_format": null}} -> 202 "container_format":"bare"`,
			`member DELETE /volumes/{free} -> 400`, `member POST /volumes/{free}/action {"os-extend": {"new_size": 2}} -> 400`,
			`member PUT /volumes/{free}/metadata {"metadata": {}} -> 400 uploading`,
		},
		"volume_actions.upload_image|public": {
			`member@1 POST ` + upload + `, "visibility": "public"}} -> 403 volume_extension:volume_actions:upload_public`,
			`admin@1 POST ` + upload + `, "visibility": "public", "protected": "yes"}} -> 202 "protected":true,"visibility":"public"`,
		},
		"volume_actions.reimage|status not": {
			`member@68 POST /volumes/{used}/action {"os-reimage": {"image_id": "{image}"}} -> 400 Invalid volume: Volume {used} status must be available or error, but current status is in-use.`,
			`member@68 POST /volumes/{reserved}/action {"os-reimage": {"image_id": "{image}"}} -> 400 Invalid volume: Volume {reserved} status must be available or error, but current status is reserved.`,
			`member@68 POST /volumes/{used}/action {"os-reimage": {"image_id": "{image}", "reimage_reserved": true}} -> 400 Invalid volume: Volume {used} status must be available or error or reserved, but current status is in-use.`,
			`member@68 POST /volumes/{reserved}/action {"os-reimage": {"image_id": "{image}", "reimage_reserved": "True"}} -> 202`,
			`member GET /volumes/{reserved} -> 200 "status":"downloading"`,
			`member@44 POST /attachments {"attachment": {"volume_uuid": "{reserved}"}} -> 400 status must be available to reserve, but the current status is downloading.`,
			`member@67 POST ` + reimage + `"{image}"}} -> 404`,
			`reader@68 POST ` + reimage + `"{image}"}} -> 403 volume:reimage`, `other@68 POST ` + reimage + `"{image}"}} -> 404`,
			`member@68 POST ` + reimage + `"{missing}"}} -> 404 Image {missing} could not be found.`,
			`member@68 POST ` + reimage + `"{queued}"}} -> 400 Invalid input received: Image {queued} is not active.`,
			`member@68 POST ` + reimage + `"{signed}"}} -> 400 signature`,
			`member@68 POST ` + reimage + `"{large}"}} -> 400 Invalid input received: Size of specified image 3GB is larger than volume size 1GB.`,
			`member GET /volumes/{free} -> 200 "status":"available"`,
			`member@68 POST ` + reimage + `"{image}"}} -> 202`,
			`member@68 POST ` + reimage + `"{image}"}} -> 400 but current status is downloading.`,
			`member DELETE /volumes/{free} -> 400`,
			`member@68 POST /volumes/{error}/action {"os-reimage": {"image_id": "{image}"}} -> 202`,
			`member GET /volumes/{error} -> 200 "status":"downloading"`,
		},
		"volume_actions.reimage|more than one": {
			`member@68 POST /volumes/{shared}/action {"os-reimage": {"image_id": "{image}", "reimage_reserved": true}} -> 409 Cannot re-image a volume which is attached to more than one server.`,
		},
	})
	maps.Copy(operations, map[string]operation{
		"volume_actions.volume_upload_image": {"member", "POST", "/volumes/{free}/action", `{"os-volume_upload_image": {"image_name": "i"}}`},
		"volume_actions.reimage":             {"member", "POST", "/volumes/{free}/action", `{"os-reimage": {"image_id": "{image}"}}`},
	})
}

// attachedTwice is a volume that two servers have reserved.
func (s *script) attachedTwice() string {
	kind := s.volumeType(`{"name": "shared", "extra_specs": {"multiattach": "<is> True"}}`)
	id := s.volume("admin", `, "volume_type": "`+kind+`"`)
	for _, server := range []string{server, missing} {
		s.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "instance_uuid": "`+server+`"}}`).want(s.t, 200)
	}
	return id
}

func (s *script) uploading() string {
	id := s.volume("member", "")
	s.do("member", "POST", "/v3/volumes/"+id+"/action", `{"os-volume_upload_image": {"image_name": "i"}}`).want(s.t, 202)
	return id
}

// TestContractUploadFields holds the answer to an upload, which changes what it is
// asked of, against its rows.
func TestContractUploadFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	for _, version := range []Version{0, 1, 71} {
		id := w.volume("member", "")
		body := w.do(fmt.Sprintf("member@%d", version), "POST", "/v3/volumes/"+id+"/action", `{"os-volume_upload_image": {"image_name": "i"}}`).want(t, 202)
		var answer map[string]map[string]any
		if err := json.Unmarshal([]byte(body.body), &answer); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, row := range rows(t, "fields") {
			if row["view"] == "volume.upload_image" && sinceOf(row["min_version"]) <= version {
				want = append(want, row["field"])
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(answer["os-volume_upload_image"])); !slices.Equal(got, want) {
			t.Errorf("at %s: %v, want %v", version, got, want)
		}
		if answer["os-volume_upload_image"]["status"] != "uploading" || answer["os-volume_upload_image"]["volume_type"].(map[string]any)["name"] != "__DEFAULT__" {
			t.Error(body.body)
		}
	}
}
