package api

import (
	"maps"
	"strings"
	"testing"

	"clinker/db"
)

// What the contract's tables say of volume actions; see contract_test.go.
func init() {
	maps.Copy(errorScripts, map[string][]string{
		"volume_actions.update_readonly_flag|": {
			`member POST /volumes/{used}/action {"os-update_readonly_flag": {"readonly": true}} -> 400 Invalid volume: Volume {used} status must be available to update readonly flag, but current status is: in-use.`,
			`reader POST /volumes/{free}/action {"os-update_readonly_flag": {"readonly": true}} -> 403 volume:update_readonly_flag`,
			`member POST /volumes/{free}/action {"os-update_readonly_flag": {"readonly": "yes"}} -> 202`, `member GET /volumes/{free} -> 200 "metadata":{"a":"1","readonly":"True"}`,
			`member POST /volumes/{free}/action {"os-update_readonly_flag": {"readonly": false}} -> 202`, `member GET /volumes/detail -> 200 "metadata":{"a":"1","readonly":"False"}`,
			`member GET /volumes/{free}/metadata -> 200 {"metadata":{"a":"1"}}`, `member POST /volumes/{missing}/action {"os-update_readonly_flag": {"readonly": false}} -> 404`,
		},
		"volume_actions.set_bootable|": {
			`member POST /volumes/{free}/action {"os-set_bootable": {"bootable": "maybe"}} -> 400 bootable`, `reader POST /volumes/{free}/action {"os-set_bootable": {"bootable": 1}} -> 400`,
			`reader POST /volumes/{free}/action {"os-set_bootable": {"bootable": "1"}} -> 403 volume:update`, `member POST /volumes/{maintenance}/action {"os-set_bootable": {"bootable": "1"}} -> 400 maintenance`,
			`member POST /volumes/{free}/action {"os-set_bootable": {"bootable": "True"}} -> 200`, `member GET /volumes/{free} -> 200 "bootable":"true"`,
			`member POST /volumes/{used}/action {"os-set_bootable": {"bootable": true}} -> 200`, `other POST /volumes/{free}/action {"os-set_bootable": {"bootable": true}} -> 404`,
		},
		"volume_actions.unset_image_metadata|": {
			`member POST /volumes/{free}/action {"os-unset_image_metadata": {"key": "os"}} -> 404 Glance metadata for volume/snapshot {free} cannot be found.`,
			`member POST /volumes/{free}/action {"os-set_image_metadata": {"metadata": {"os": "debian", "arch": "x86"}}} -> 200 {"metadata":{"arch":"x86","os":"debian"}}`,
			`member POST /volumes/{free}/action {"os-set_image_metadata": {"metadata": {"os": "` + strings.Repeat("ü", 32767) + `"}}} -> 200 "arch":"x86"`,
			`member POST /volumes/{free}/action {"os-set_image_metadata": {"metadata": {"os": "` + strings.Repeat("ü", 32768) + `"}}} -> 400 metadata`,
			`member POST /volumes/{free}/action {"os-set_image_metadata": {"metadata": {"os": "` + strings.Repeat("x", 65536) + `"}}} -> 400 Invalid input for field/attribute os`,
			`reader POST /volumes/{free}/action {"os-set_image_metadata": {"metadata": {}}} -> 403 volume_extension:volume_image_metadata:set`,
			`reader POST /volumes/{free}/action {"os-unset_image_metadata": {"key": "os"}} -> 403 volume_extension:volume_image_metadata:remove`,
			`member POST /volumes/{uploading}/action {"os-set_image_metadata": {"metadata": {"os": "x"}}} -> 400 Updating volume metadata is not allowed for volumes in uploading status.`,
			`member POST /volumes/{free}/action {"os-unset_image_metadata": {"key": "os"}} -> 200`, `reader POST /volumes/{free}/action {"os-show_image_metadata": null} -> 200 {"metadata":{"arch":"x86"}}`,
			`member GET /volumes/{free} -> 200 "volume_image_metadata":{"arch":"x86"}`, `other POST /volumes/{free}/action {"os-show_image_metadata": {}} -> 404`,
			`admin POST /volumes/{free}/action {"os-show_image_metadata": ""} -> 200`,
		},
	})
	maps.Copy(operations, map[string]operation{
		"volume_actions.update_readonly_flag": {"member", "POST", "/volumes/{free}/action", `{"os-update_readonly_flag": {"readonly": true}}`},
		"volume_actions.set_bootable":         {"member", "POST", "/volumes/{free}/action", `{"os-set_bootable": {"bootable": true}}`},
		"volume_actions.set_image_metadata":   {"member", "POST", "/volumes/{free}/action", `{"os-set_image_metadata": {"metadata": {"a": "b"}}}`},
		"volume_actions.unset_image_metadata": {"member", "POST", "/volumes/{free}/action", `{"os-unset_image_metadata": {"key": "k"}}`},
		"volume_actions.show_image_metadata":  {"member", "POST", "/volumes/{free}/action", `{"os-show_image_metadata": null}`},
		"volume_actions.force_delete":         {"admin", "POST", "/volumes/{free}/action", `{"os-force_delete": null}`},
	})
}

// What errors.tsv has no rows for.
func TestVolumeActions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	for name, lines := range map[string][]string{
		"force delete": {
			`member POST /volumes/{uploading}/action {"os-force_delete": null} -> 403 volume_extension:volume_admin_actions:force_delete`,
			`admin POST /volumes/{uploading}/action {"os-force_delete": ""} -> 202`,
			`admin POST /volumes/{used}/action {"os-force_delete": {}} -> 400 must not be migrating, attached`,
			`admin POST /volumes/{error}/action {"os-force_delete": null} -> 202`,
			`admin POST /volumes/{missing}/action {"os-force_delete": null} -> 404`,
		},
		"encryption": {
			`reader GET /volumes/{free}/encryption -> 200 {"encryption_key_id":null}`,
			`member GET /volumes/{free}/encryption/encryption_key_id -> 200`,
			`member GET /volumes/{free}/encryption/x -> 404 Volume {free} has no encryption metadata with key x.`,
			`other GET /volumes/{free}/encryption -> 404`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := w.script()
			for _, line := range lines {
				if err := s.run(line); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
