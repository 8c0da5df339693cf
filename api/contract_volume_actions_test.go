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
		"volume_actions.attach|volume not": {
			`member POST /volumes/{used}/action {"os-attach": {"instance_uuid": "{missing}", "mountpoint": "/dev/vdb"}} -> 400 Invalid volume: volume is already attached and multiple attachments are not enabled`,
			`member POST /volumes/{used}/action {"os-attach": {"instance_uuid": "{server}", "mountpoint": "/dev/vdb"}} -> 400 Invalid volume: Volume {used} is attached there already.`,
			`member POST /volumes/{reserved}/action {"os-attach": {"instance_uuid": "{server}", "mountpoint": "/dev/vdb"}} -> 400 status must be available or attaching to attach, but the current status is reserved.`,
			`member POST /volumes/{error}/action {"os-attach": {"host_name": "h", "mountpoint": "/dev/vdb"}} -> 400 error`,
			`member POST /volumes/{maintenance}/action {"os-attach": {"host_name": "h", "mountpoint": "/dev/vdb"}} -> 400 maintenance`,
			`reader POST /volumes/{free}/action {"os-attach": {"host_name": "h", "mountpoint": "/dev/vdb"}} -> 403 volume_extension:volume_actions:attach`,
			`member POST /volumes/{free}/action {"os-update_readonly_flag": {"readonly": true}} -> 202`,
			`member POST /volumes/{free}/action {"os-attach": {"host_name": "h", "mountpoint": "/dev/vdb", "mode": "rw"}} -> 400 Invalid attaching mode 'rw' for volume {free}.`,
			`member POST /volumes/{free}/action {"os-attach": {"host_name": "h", "mountpoint": "/dev/vdb"}} -> 400 Invalid attaching mode 'rw' for volume {free}.`,
			`member POST /volumes/{free}/action {"os-attach": {"host_name": "h", "mountpoint": "/dev/vdb", "mode": "ro"}} -> 202`,
			`member GET /volumes/{free} -> 200 "metadata":{"a":"1","attached_mode":"ro","readonly":"True"}`,
		},
		"volume_actions.attach|neither": {
			`member POST /volumes/{free}/action {"os-attach": {"mountpoint": "/dev/vdb"}} -> 400`, `member POST /volumes/{free}/action {"os-attach": {"host_name": "h"}} -> 400 mountpoint`,
			`member POST /volumes/{free}/action {"os-attach": {"host_name": "h", "mountpoint": ""}} -> 400 mountpoint`, `member POST /volumes/{free}/action {"os-attach": {"instance_uuid": "x", "mountpoint": "m"}} -> 400 instance_uuid`,
		},
		"volume_actions.reserve|": {
			`member POST /volumes/{used}/action {"os-reserve": null} -> 400 Invalid volume: Volume status must be available to reserve, but the status is in-use.`,
			`member POST /volumes/{free}/action {"os-reserve": {}} -> 202`, `member GET /volumes/{free} -> 200 "status":"attaching"`,
			`member POST /volumes/{free}/action {"os-reserve": {}} -> 400 Volume status must be available to reserve, but the status is attaching.`,
			`reader POST /volumes/{free}/action {"os-reserve": {}} -> 403 volume_extension:volume_actions:reserve`, `other POST /volumes/{free}/action {"os-reserve": {}} -> 404`,
			`member@44 POST /attachments {"attachment": {"volume_uuid": "{free}", "instance_uuid": "{server}"}} -> 400`, `member DELETE /volumes/{free} -> 400`,
		},
		"volume_actions.unreserve, ": {
			`member POST /volumes/{used}/action {"os-unreserve": null} -> 202`, `member GET /volumes/{used} -> 200 "status":"in-use"`, `member POST /volumes/{error}/action {"os-unreserve": ""} -> 202`, `member GET /volumes/{error} -> 200 "status":"error"`,
			`member POST /volumes/{free}/action {"os-roll_detaching": null} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`, `member POST /volumes/{reserved}/action {"os-roll_detaching": {}} -> 202`, `member GET /volumes/{reserved} -> 200 "status":"reserved"`,
			`member POST /volumes/{free}/action {"os-reserve": null} -> 202`, `member POST /volumes/{free}/action {"os-unreserve": null} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`,
			`reader POST /volumes/{free}/action {"os-unreserve": {}} -> 403 unreserve`, `reader POST /volumes/{free}/action {"os-roll_detaching": {}} -> 403 roll_detaching`,
		},
		"volume_actions.begin_detaching|": {
			`member POST /volumes/{free}/action {"os-begin_detaching": null} -> 400 Invalid volume: Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach.`,
			`member POST /volumes/{used}/action {"os-begin_detaching": {}} -> 202`, `member GET /volumes/{used} -> 200 "status":"detaching"`, `member POST /volumes/{used}/action {"os-begin_detaching": {}} -> 400`,
			`member POST /volumes/{used}/action {"os-roll_detaching": {}} -> 202`, `member GET /volumes/{used} -> 200 "status":"in-use"`,
			`admin POST /volumes/{used}/action {"os-reset_status": {"migration_status": "migrating"}} -> 202`, `member POST /volumes/{used}/action {"os-begin_detaching": {}} -> 202`, `member GET /volumes/{used} -> 200 "status":"in-use"`,
			`reader POST /volumes/{used}/action {"os-begin_detaching": {}} -> 403 begin_detaching`,
		},
		"volume_actions.detach|several": {
			`member@44 GET /attachments/{attachment} -> 200 "attached"`,
			`member@44 POST /attachments {"attachment": {"volume_uuid": "{used}", "instance_uuid": "{server}"}} -> 200`,
			`service POST /volumes/{used}/action {"os-detach": {}} -> 400 More than one attachment, but no attachment_id provided.`, `service POST /volumes/{used}/action {"os-detach": null} -> 400`,
			`service POST /volumes/{used}/action {"os-detach": {"attachment_id": "{waiting}"}} -> 400 Mismatched volume and attachment`,
			`service POST /volumes/{used}/action {"os-detach": {"attachment_id": "{missing}"}} -> 404 Volume attachment could not be found with filter: attachment_id = {missing}.`,
			`service POST /volumes/{used}/action {"os-detach": {"attachment_id": "{attachment}"}} -> 202`, `service POST /volumes/{used}/action {"os-detach": {"attachment_id": "{attachment}"}} -> 202`,
			`member GET /volumes/{used} -> 200 "status":"reserved"`, `member POST /volumes/{used}/action {"os-detach": {}} -> 202`, `member GET /volumes/{used} -> 200 "status":"available"`,
			`member POST /volumes/{used}/action {"os-detach": null} -> 202`, `reader POST /volumes/{used}/action {"os-detach": {}} -> 403 detach`, `member POST /volumes/{maintenance}/action {"os-detach": {}} -> 400 maintenance`,
		},
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
			`reader POST /volumes/{free}/action {"os-show_image_metadata": null} -> 404 Glance metadata for volume/snapshot {free} cannot be found.`,
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
			`member POST /volumes/{free}/action {"os-unset_image_metadata": {"key": "arch"}} -> 200`, `member POST /volumes/{free}/action {"os-show_image_metadata": null} -> 404`,
		},
	})
	maps.Copy(operations, map[string]operation{
		"volume_actions.attach":                {"member", "POST", "/volumes/{free}/action", `{"os-attach": {"instance_uuid": "{server}", "mountpoint": "m"}}`},
		"volume_actions.detach":                {"member", "POST", "/volumes/{free}/action", `{"os-detach": {}}`},
		"volume_actions.reserve":               {"member", "POST", "/volumes/{free}/action", `{"os-reserve": null}`},
		"volume_actions.unreserve":             {"member", "POST", "/volumes/{free}/action", `{"os-unreserve": null}`},
		"volume_actions.begin_detaching":       {"member", "POST", "/volumes/{used}/action", `{"os-begin_detaching": null}`},
		"volume_actions.roll_detaching":        {"member", "POST", "/volumes/{free}/action", `{"os-roll_detaching": null}`},
		"volume_actions.initialize_connection": {"member", "POST", "/volumes/{free}/action", `{"os-initialize_connection": {"connector": {"host": "h", "initiator": "i"}}}`},
		"volume_actions.terminate_connection":  {"member", "POST", "/volumes/{free}/action", `{"os-terminate_connection": {"connector": null}}`},
		"volume_actions.force_detach":          {"admin", "POST", "/volumes/{free}/action", `{"os-force_detach": {}}`},
		"volume_actions.update_readonly_flag":  {"member", "POST", "/volumes/{free}/action", `{"os-update_readonly_flag": {"readonly": true}}`},
		"volume_actions.set_bootable":          {"member", "POST", "/volumes/{free}/action", `{"os-set_bootable": {"bootable": true}}`},
		"volume_actions.set_image_metadata":    {"member", "POST", "/volumes/{free}/action", `{"os-set_image_metadata": {"metadata": {"a": "b"}}}`},
		"volume_actions.unset_image_metadata":  {"member", "POST", "/volumes/{free}/action", `{"os-unset_image_metadata": {"key": "k"}}`},
		"volume_actions.show_image_metadata":   {"member", "POST", "/volumes/{free}/action", `{"os-show_image_metadata": null}`},
		"volume_actions.force_delete":          {"admin", "POST", "/volumes/{free}/action", `{"os-force_delete": null}`},
	})
}

// What errors.tsv has no rows for.
func TestVolumeActions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	for name, lines := range map[string][]string{
		"old attach": {
			`member POST /volumes/{free}/action {"os-reserve": null} -> 202`,
			`member POST /volumes/{free}/action {"os-initialize_connection": {"connector": "x"}} -> 400 connector`, `member POST /volumes/{free}/action {"os-initialize_connection": {"connector": {}}} -> 400 connector`,
			`member POST /volumes/{free}/action {"os-initialize_connection": {"connector": {"host": "h"}}} -> 400 initiator`, `reader POST /volumes/{free}/action {"os-initialize_connection": {"connector": {}}} -> 403 initialize_connection`,
			`member POST /volumes/{free}/action {"os-initialize_connection": {"connector": {"host": "h1", "initiator": "iqn.a"}}} -> 200 {"connection_info":{"driver_volume_type":"iscsi","data":{"access_mode":"rw","auth_method":"CHAP","auth_password":"`,
			`member GET /volumes/{free} -> 200 "status":"attaching"`,
			`member POST /volumes/{free}/action {"os-initialize_connection": {"connector": {"host": "h2", "initiator": "iqn.b"}}} -> 400 multiple attachments are not enabled`,
			`member POST /volumes/{free}/action {"os-attach": {"instance_uuid": "{server}", "mountpoint": "/dev/vdb", "mode": "rw"}} -> 202`,
			`member GET /volumes/{free} -> 200 "status":"in-use"`, `member GET /volumes/{free} -> 200 "device":"/dev/vdb"`, `admin GET /volumes/{free} -> 200 "host_name":"h1"`,
			`member GET /volumes/{free} -> 200 "metadata":{"a":"1","attached_mode":"rw","readonly":"False"}`,
			`member POST /volumes/{free}/action {"os-terminate_connection": {"connector": {"host": "h1", "initiator": "iqn.a"}}} -> 409 Detach volume from instance {server} using the Compute API`,
			`member POST /volumes/{free}/action {"os-detach": {}} -> 409`, `service POST /volumes/{free}/action {"os-begin_detaching": null} -> 202`,
			`service POST /volumes/{free}/action {"os-terminate_connection": {"connector": {"host": "h1", "initiator": "iqn.a"}}} -> 202`, `member GET /volumes/{free} -> 200 "status":"detaching"`,
			`service POST /volumes/{free}/action {"os-detach": {}} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`, `member GET /volumes/{free} -> 200 "metadata":{"a":"1","readonly":"False"}`,
			`member@44 GET /attachments?volume_id={free} -> 200 {"attachments":[]}`, `member DELETE /volumes/{free} -> 202`,
		},
		"old attach without a connection": {
			`member POST /volumes/{free}/action {"os-attach": {"instance_uuid": "{server}", "mountpoint": "/dev/vdc"}} -> 202`, `member GET /volumes/{free} -> 200 "status":"in-use"`,
			`member POST /volumes/{free}/action {"os-detach": {}} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`,
			`member POST /volumes/{free}/action {"os-attach": {"host_name": "h1", "mountpoint": "/mnt"}} -> 202`,
			`member POST /volumes/{free}/action {"os-initialize_connection": {"connector": {"host": "h1", "initiator": "iqn.a"}}} -> 200 "access_mode":"rw"`, `member GET /volumes/{free} -> 200 "status":"in-use"`,
			`member POST /volumes/{free}/action {"os-detach": {}} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`,
		},
		"given up": {
			`member POST /volumes/{free}/action {"os-reserve": null} -> 202`, `member POST /volumes/{free}/action {"os-terminate_connection": {"connector": {"host": "h1"}}} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`,
			`member POST /volumes/{free}/action {"os-initialize_connection": {"connector": {"host": "h1", "initiator": "iqn.a"}}} -> 200`, `member GET /volumes/{free} -> 200 "status":"attaching"`, `member DELETE /volumes/{free} -> 400`,
			`member POST /volumes/{free}/action {"os-unreserve": null} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`,
			`member POST /volumes/{free}/action {"os-initialize_connection": {"connector": {"host": "h1", "initiator": "iqn.a"}}} -> 200`, `member POST /volumes/{free}/action {"os-detach": {}} -> 202`,
			`member POST /volumes/{free}/action {"os-reserve": null} -> 202`, `admin POST /volumes/{free}/action {"os-reset_status": {"status": "available"}} -> 202`, `member DELETE /volumes/{free} -> 202`,
			`member POST /volumes/{error}/action {"os-initialize_connection": {"connector": {"host": "h1", "initiator": "iqn.a"}}} -> 400 status must be available or attaching`,
			`member POST /volumes/{maintenance}/action {"os-initialize_connection": {"connector": {"host": "h1", "initiator": "iqn.a"}}} -> 400 maintenance`,
			`member POST /volumes/{big}/action {"os-terminate_connection": {"connector": {}}} -> 400 connector`, `member POST /volumes/{big}/action {"os-terminate_connection": {"connector": "x"}} -> 400 connector`,
			`reader POST /volumes/{big}/action {"os-terminate_connection": {"connector": {}}} -> 403 terminate_connection`,
		},
		"reset": {
			`admin POST /volumes/{free}/action {"os-reset_status": {"status": "in-use", "attach_status": "detached"}} -> 400 has no attachment`,
			`admin POST /volumes/{used}/action {"os-reset_status": {"status": "in-use", "attach_status": "Detached"}} -> 202`, `member GET /volumes/{used} -> 200 "status":"available"`,
			`admin POST /volumes/{free}/action {"os-reset_status": {"attach_status": "attached"}} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`,
			`member POST /volumes/{free}/action {"os-reserve": null} -> 202`, `admin POST /volumes/{free}/action {"os-reset_status": {"attach_status": "detached"}} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`,
			`member POST /volumes/{free}/action {"os-reserve": null} -> 202`, `admin POST /volumes/{free}/action {"os-reset_status": {"status": "error"}} -> 202`, `admin POST /volumes/{free}/action {"os-force_detach": {}} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`,
		},
		"force detach": {
			`member POST /volumes/{used}/action {"os-force_detach": {}} -> 403 force_detach`, `admin POST /volumes/{used}/action {"os-force_detach": {}} -> 409 ConflictNovaUsingAttachment`,
			`admin POST /volumes/{used}/action {"os-force_detach": {"attachment_id": "{missing}"}} -> 400 Error force detaching volume - VolumeAttachmentNotFound`,
			`member POST /volumes/{free}/action {"os-attach": {"instance_uuid": "{server}", "mountpoint": "/dev/vdb"}} -> 202`, `admin POST /volumes/{free}/action {"os-reset_status": {"status": "error"}} -> 202`,
			`admin POST /volumes/{free}/action {"os-force_detach": {"connector": null, "attachment_id": null}} -> 202`, `member GET /volumes/{free} -> 200 "status":"available"`, `member GET /volumes/{free} -> 200 "attachments":[]`,
			`admin POST /volumes/{free}/action {"os-force_detach": {}} -> 202`, `admin POST /volumes/{creating}/action {"os-force_detach": {}} -> 202`, `member GET /volumes/{creating} -> 200 "status":"creating"`,
		},
		"force delete": {
			`member POST /volumes/{uploading}/action {"os-force_delete": null} -> 403 volume_extension:volume_admin_actions:force_delete`,
			`admin POST /volumes/{uploading}/action {"os-force_delete": ""} -> 202`,
			`admin POST /volumes/{used}/action {"os-force_delete": {}} -> 400 Invalid volume: Volume must not be migrating, attached`,
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
