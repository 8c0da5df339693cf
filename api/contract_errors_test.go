package api

import (
	"net/http/httptest"
	"strings"
	"testing"

	"clinker/db"
	"clinker/internal/fault"
)

// errorScripts has the requests for each row of errors.tsv, under
// "operation|begin of the condition".
var errorScripts = map[string][]string{
	"any|operation does not exist": {
		`member@26 GET /attachments -> 404 "itemNotFound"`, `member@27 GET /attachments -> 200`,
		`member@43 POST /attachments/{attachment}/action {"os-complete": null} -> 404`,
		`member@2 GET /messages -> 404`, `member@11 GET /volumes/summary -> 404 could not be found`,
	},
	"any|unknown path": {
		`member PATCH /volumes/{free} -> 404 404 Not Found`, `member DELETE /volumes -> 404 404 Not Found`,
		`member GET /volumes/ -> 404 404 Not Found`, `member GET /nothing -> 404 404 Not Found`,
		`admin GET /os-quota-sets/x/y -> 404 404 Not Found`, `member GET /volumes/{free}/nothing -> 404 404 Not Found`,
	},
	"any|path ends in .json": {`member GET /volumes/{free}.json -> 200 {free}`, `member GET /volumes.json -> 200`},
	"any|project id in the URL": {
		`member GET /` + otherProject + `/volumes -> 400 Malformed request url`,
		`member GET /NOT-HEX/volumes -> 404 404 Not Found`, `member GET /` + ownProject + `/volumes -> 200`,
	},
	"any|URL has no project id": {`member GET /volumes/{free} -> 200 /v3/volumes/{free}`, `member@71 GET /volumes -> 200`},
	"any|body is not JSON":      {`member POST /volumes {x -> 400 Malformed request body`, `member POST /volumes nonsense -> 400 Malformed request body`},
	"any|body is JSON but not": {
		`member POST /volumes [] -> 400 Malformed request body`, `member POST /volumes "text" -> 400 Malformed`,
		`member POST /volumes {} -> 400 "message":"'volume' is a required property"`,
		`member POST /volumes {"volume": {"size": 1}, "scheduler_hints": {}} -> 400 ('scheduler_hints' was unexpected)`,
		`member POST /volumes {"volume": {"size": true}} -> 400 true is not of type 'null', 'integer', 'string'`,
		`member POST /volumes {"volume": {"size": 1, "metadata": {"a@": "b"}}} -> 400 Invalid input for field/attribute metadata. Value: {\"a@\":\"b\"}. the key 'a@' is not allowed: 'a@' does not match pattern`,
		`member POST /volumes {"volume": 1} -> 400 Invalid input for field/attribute volume. Value: 1.`,
		`member PUT /volumes/{free} {"volume": {"x": 1}} -> 400 ('x' was unexpected)`,
	},
	"any create/update|": {
		`member POST /volumes -> 400`, `member PUT /volumes/{free} -> 400`, `member POST /volumes/{free}/metadata -> 400`,
		`admin POST /types -> 400`, `member@27 POST /attachments -> 400`, `admin PUT /os-services/enable -> 400`,
		`admin PUT /os-quota-sets/` + ownProject + ` -> 400`,
	},
	"*/action|body without":       {`member POST /volumes/{free}/action -> 400 There is no such action: None. Verify the request body and Content-Type header and try again.`},
	"*/action|unknown action key": {`member POST /volumes/{free}/action {"nope": {}} -> 400 There is no such action: nope. Verify`},
	"*/action|body with zero": {
		`member POST /volumes/{free}/action {} -> 400 Malformed request body`,
		`member POST /volumes/{free}/action {"os-extend": {}, "os-reset_status": {}} -> 400 Malformed request body`,
	},
	"any|policy refuses": {
		`reader POST /volumes {"volume": {"size": 1}} -> 403 Policy doesn't allow volume:create to be performed.`,
		`reader DELETE /volumes/{free} -> 403 Policy doesn't allow volume:delete to be performed.`,
		`member GET /os-services -> 403 Policy doesn't allow volume_extension:services:index to be performed.`,
		`member POST /volumes/{free}/action {"os-reset_status": {"status": "error"}} -> 403 reset_status`,
	},
	"volumes.show|volume of another": {`member GET /volumes/{foreign} -> 404 Volume {foreign} could not be found.`, `admin GET /volumes/{foreign} -> 200`},
	"any by id|unknown id": {
		`member GET /volumes/{missing} -> 404 Volume {missing} could not be found.`,
		`member GET /volumes/AAAAAAAA-AAAA-4AAA-AAAA-AAAAAAAAAAAA -> 404 could not be found.`,
		`member GET /volumes/x -> 404 Volume x could not be found.`, `member DELETE /volumes/x -> 404`,
		`member GET /types/x -> 404 Volume type x could not be found.`, `member@3 GET /messages/x -> 404 Message x could not be found.`,
	},
	"attachments.*|unknown attachment": {
		`member@27 GET /attachments/{missing} -> 404 Volume attachment could not be found with filter: attachment_id = {missing}.`,
		`member@27 DELETE /attachments/{missing} -> 404`, `other@27 GET /attachments/{attachment} -> 404`,
		`member@44 POST /attachments/{missing}/action {"os-complete": null} -> 404`,
	},
	"volumes.create, volume_actions.extend|size above": {
		`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"per_volume_gigabytes": 5}} -> 200`,
		`member POST /volumes {"volume": {"size": 6}} -> 413 VolumeSizeExceedsLimit: `,
		`member POST /volumes/{free}/action {"os-extend": {"new_size": 6}} -> 413 VolumeSizeExceedsLimit: `,
		`admin DELETE /os-quota-sets/` + ownProject + ` -> 200`,
	},
	"volumes.create|no size":     {`member POST /volumes {"volume": {}} -> 400`, `member POST /volumes {"volume": {"size": null}} -> 400`},
	"volumes.create|size 0":      {`member POST /volumes {"volume": {"size": 0}} -> 400 size`, `member POST /volumes {"volume": {"size": -1}} -> 400 size`, `member POST /volumes {"volume": {"size": "x"}} -> 400 size`},
	"volumes.create|two or more": {`member@47 POST /volumes {"volume": {"size": 1, "snapshot_id": "{missing}", "source_volid": "{free}"}} -> 400 May specify only one of`, `member@47 POST /volumes {"volume": {"size": 1, "imageRef": "x", "backup_id": "{missing}"}} -> 400 May specify only one of`},
	"volumes.create|image id unknown": {
		`member POST /volumes {"volume": {"size": 1, "imageRef": "{missing}"}} -> 400 Invalid image identifier or unable to access requested image.`,
		`member POST /volumes {"volume": {"size": 1, "image_id": "none of this name"}} -> 400 Invalid image identifier or unable to access requested image.`,
		`other POST /volumes {"volume": {"size": 1, "imageRef": "` + ownImage + `"}} -> 400 Invalid image identifier or unable to access requested image.`,
	},
	"volumes.create|image name matches": {
		`member POST /volumes {"volume": {"size": 1, "imageRef": "twice"}} -> 409 Multiple matches found for 'twice', use an ID to be more specific.`,
	},
	"volumes.create|image inactive": {
		`member POST /volumes {"volume": {"size": 3, "imageRef": "queued"}} -> 400 Invalid input received: Image `,
		`member POST /volumes {"volume": {"size": 2, "imageRef": "large"}} -> 400 Invalid input received: Size of specified image 3GB is larger than volume size 2GB.`,
		`member POST /volumes {"volume": {"size": 3, "imageRef": "large"}} -> 400 Invalid input received: Volume size 3GB cannot be smaller than the image minDisk size 4GB.`,
		`member POST /volumes {"volume": {"size": 9, "imageRef": "signed"}} -> 400 is unacceptable: it is signed`,
		`member POST /volumes {"volume": {"size": 9, "imageRef": "docker"}} -> 400 is unacceptable: its container format is docker`,
		`member POST /volumes {"volume": {"imageRef": "large"}} -> 400 size`,
		`member POST /volumes {"volume": {"size": 9, "imageRef": "silent"}} -> 503`,
	},
	"volumes.create|snapshot_id": {
		`member POST /volumes {"volume": {"size": 1, "source_volid": "{missing}"}} -> 404 Volume {missing} could not be found.`,
		`member POST /volumes {"volume": {"size": 1, "source_volid": "{foreign}"}} -> 404`,
	},
	"volumes.create|volume_type unknown":  {`member POST /volumes {"volume": {"size": 1, "volume_type": "nope"}} -> 404 Volume type with name nope could not be found.`},
	"volumes.create|source smaller":       {`member POST /volumes {"volume": {"size": 1, "source_volid": "{big}"}} -> 400 Invalid input received: `, `member POST /volumes {"volume": {"source_volid": "{big}"}} -> 202 "size":2`},
	"volumes.create|source volume not":    {`member POST /volumes {"volume": {"size": 1, "source_volid": "{error}"}} -> 400 Invalid volume: Originating volume status must be one of`},
	"volumes.create|unknown availability": {`member POST /volumes {"volume": {"size": 1, "availability_zone": "x"}} -> 400 Availability zone 'x' is invalid.`},
	"volumes.create|multiattach true":     {`member POST /volumes {"volume": {"size": 1, "multiattach": "yes"}} -> 400 parameter has been removed`, `member POST /volumes {"volume": {"size": 1, "multiattach": false}} -> 202`},
	"volumes.create|size outside": {
		`admin POST /types {"volume_type": {"name": "bounded", "extra_specs": {"provisioning:min_vol_size": "2", "provisioning:max_vol_size": "3"}}} -> 200`,
		`member POST /volumes {"volume": {"size": 1, "volume_type": "bounded"}} -> 400 Specified volume size`,
		`member POST /volumes {"volume": {"size": 4, "volume_type": "bounded"}} -> 400 Specified volume size`,
		`member POST /volumes {"volume": {"size": 3, "volume_type": "bounded"}} -> 202`,
	},
	"volumes.create|metadata key": {
		`member POST /volumes {"volume": {"size": 1, "metadata": {"*": "x"}}} -> 400 metadata`,
		`member POST /volumes {"volume": {"size": 1, "metadata": {"k": "{long}"}}} -> 400`,
		`member POST /volumes {"volume": {"size": 1, "metadata": {"{long}": "x"}}} -> 400`,
	},
	"volumes.create|backend failure":       {`member POST /volumes {"volume": {"size": 900000}} -> 202 "creating"`},
	"volumes.update|empty":                 {`member@52 PUT /volumes/{free} {"volume": {}} -> 200`, `member@53 PUT /volumes/{free} {"volume": {}} -> 400`},
	"volumes.update|volume in maintenance": {`member PUT /volumes/{maintenance} {"volume": {"name": "x"}} -> 400 maintenance`},
	"volumes.delete|status not": {
		`member DELETE /volumes/{used} -> 400 Volume status must be available or error`, `member DELETE /volumes/{reserved} -> 400`,
		`member DELETE /volumes/{uploading} -> 400`, `member DELETE /volumes/{maintenance} -> 400`,
		`member DELETE /volumes/{free} -> 202`, `member DELETE /volumes/{error} -> 202`,
	},
	"volumes.delete|force by": {
		`member@23 DELETE /volumes/{free}?force=true -> 403 volume:force_delete`, `member@22 DELETE /volumes/{uploading}?force=true -> 400`,
		`admin@23 DELETE /volumes/{uploading}?force=true -> 202`,
	},
	"volumes.delete|cascade or force": {
		`member DELETE /volumes/{free}?cascade=x -> 400 Value 'x' for 'cascade' is not a boolean.`,
		`member@23 DELETE /volumes/{free}?force=x -> 400 Value 'x' for 'force' is not a boolean.`, `member@22 DELETE /volumes/{free}?force=x -> 202`,
	},
	"volume_metadata.set|key in the URL": {`member PUT /volumes/{free}/metadata/a {"meta": {"b": "1"}} -> 400 Request body and URI mismatch`},
	"volume_metadata.show, ":             {`member GET /volumes/{free}/metadata/no -> 404 Volume {free} has no metadata with key no.`, `member DELETE /volumes/{free}/metadata/no -> 404 has no metadata with key no.`},
	"volume_metadata.*|": {
		`member POST /volumes/{uploading}/metadata {"metadata": {"a": "b"}} -> 400`, `member PUT /volumes/{maintenance}/metadata {"metadata": {}} -> 400`,
		`member PUT /volumes/{uploading}/metadata/a {"meta": {"a": "b"}} -> 400`, `member GET /volumes/{uploading}/metadata -> 200`,
	},
	"volume_actions.detach, ": {
		`member@27 DELETE /attachments/{attachment} -> 409 Detach volume from instance {server} using the Compute API`,
		`admin@27 DELETE /attachments/{attachment} -> 409 ConflictNovaUsingAttachment`, `service@27 DELETE /attachments/{attachment} -> 200 {"attachments":[]}`,
	},
	"volume_actions.extend|new size": {`member POST /volumes/{free}/action {"os-extend": {"new_size": 1}} -> 400 Invalid input received: New size for extend must be greater`},
	"volume_actions.extend|status": {
		`member POST /volumes/{used}/action {"os-extend": {"new_size": 2}} -> 400`, `member@41 POST /volumes/{used}/action {"os-extend": {"new_size": 2}} -> 400`,
		`member@42 POST /volumes/{reserved}/action {"os-extend": {"new_size": 2}} -> 400`, `member@42 POST /volumes/{error}/action {"os-extend": {"new_size": 2}} -> 400`,
		`member@42 POST /volumes/{used}/action {"os-extend": {"new_size": 2}} -> 202`,
	},
	"volume_actions.reset_status|no field": {
		`admin POST /volumes/{free}/action {"os-reset_status": {}} -> 400`, `admin POST /volumes/{free}/action {"os-reset_status": {"status": "x"}} -> 400 status`,
		`admin POST /volumes/{free}/action {"os-reset_status": {"status": null}} -> 400`, `admin POST /volumes/{free}/action {"os-reset_status": {"status": "ERROR"}} -> 202`,
	},
	"volume_actions.reset_status|status deleting": {
		`admin POST /volumes/{free}/action {"os-reset_status": {"status": "deleting"}} -> 400`, `admin POST /volumes/{free}/action {"os-reset_status": {"status": "in-use"}} -> 400`,
	},
	"attachments.create|volume in use": {
		`member@44 POST /attachments {"attachment": {"volume_uuid": "{used}", "instance_uuid": "{missing}"}} -> 400 Invalid volume: Volume {used} status must be available or downloading to reserve`,
		`member@44 POST /attachments {"attachment": {"volume_uuid": "{reserved}"}} -> 400`,
	},
	"attachments.create|same volume":  {`member@44 POST /attachments {"attachment": {"volume_uuid": "{used}", "instance_uuid": "{server}"}} -> 200 "reserved"`},
	"attachments.create|volume in an": {`member@44 POST /attachments {"attachment": {"volume_uuid": "{error}"}} -> 400`},
	"attachments.update|volume in an": {
		`member@44 POST /attachments {"attachment": {"volume_uuid": "{free}", "instance_uuid": "{server}"}} -> 200`,
		`admin POST /volumes/{reserved}/action {"os-reset_status": {"status": "error"}} -> 202`,
		`member@44 PUT /attachments/{waiting} {"attachment": {"connector": {"host": "h", "initiator": "i"}}} -> 409 Resource conflict: `,
	},
	"attachments.update|connector empty": {
		`member@44 PUT /attachments/{waiting} {"attachment": {"connector": {}}} -> 400 connector`, `member@44 PUT /attachments/{waiting} {"attachment": {}} -> 400 connector`,
		`member@44 PUT /attachments/{waiting} {"attachment": {"connector": null}} -> 400 connector`, `member@44 PUT /attachments/{waiting} {"attachment": {"connector": {"initiator": "i"}}} -> 400 host`,
	},
	"attachments.create|mode before": {
		`member@53 POST /attachments {"attachment": {"volume_uuid": "{free}", "mode": "ro"}} -> 400 'mode' was unexpected`,
		`member@54 POST /attachments {"attachment": {"volume_uuid": "{free}", "mode": "ro"}} -> 200 "attach_mode":"ro"`,
	},
	"types.create, types.update|name taken": {`admin POST /types {"volume_type": {"name": "__DEFAULT__"}} -> 409 Volume Type __DEFAULT__ already exists.`, `admin PUT /types/{type} {"volume_type": {"name": "__DEFAULT__"}} -> 409 already exists.`},
	"types.create|blank name":               {`admin POST /types {"volume_type": {"name": " "}} -> 400 name`},
	"types.update|nothing":                  {`admin PUT /types/{type} {"volume_type": {}} -> 400 Specify volume type name, description, is_public or a combination thereof.`},
	"types.delete|":                         {`admin DELETE /types/{usedtype} -> 400 Target volume type is still in use.`, `admin DELETE /types/{default} -> 400 default volume type and cannot be deleted`, `admin DELETE /types/{type} -> 202`},
	"types.show|":                           {`admin GET /types/__DEFAULT__ -> 404`},
	"type_extra_specs.create, ": {
		`admin POST /types/{usedtype}/extra_specs {"extra_specs": {"b": "c"}} -> 400 Volume Type is currently in use.`,
		`admin PUT /types/{usedtype}/extra_specs/a {"a": "c"} -> 400 Volume Type is currently in use.`, `admin DELETE /types/{usedtype}/extra_specs/a -> 400 Volume Type is currently in use.`,
	},
	"type_extra_specs.update|": {`admin PUT /types/{type}/extra_specs/a {"b": "c"} -> 400 Request body and URI mismatch`},
	"type_extra_specs.show, ":  {`admin GET /types/{type}/extra_specs/no -> 404 Volume Type {type} has no extra specs with key no.`, `admin DELETE /types/{type}/extra_specs/no -> 404 has no extra specs with key no.`},
	"quotas.update|": {
		`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"x": 1}} -> 400 x`, `admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"volumes": -2}} -> 400 volumes`,
		`member GET /volumes/{free} -> 200`, `admin PUT /os-quota-sets/` + ownProject + `?skip_validation=false {"quota_set": {"volumes": 0}} -> 400 Current usage is`,
		`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {}} -> 400 quota_set`,
	},
	"quotas.show|": {`member GET /os-quota-sets/` + otherProject + ` -> 403 Policy doesn't allow volume_extension:quotas:show`},
	"services.enable, services.disable|": {
		`admin PUT /os-services/enable {"host": "x", "binary": "cinder-volume"} -> 404 Service cinder-volume could not be found on host x.`, `admin PUT /os-services/disable {"host": "node1@lvm", "binary": "x"} -> 404`,
	},
	"services.enable|host missing": {`admin PUT /os-services/enable {"binary": "cinder-volume"} -> 400 Host field is missing.`},
	"services.freeze, ":            {`admin PUT /os-services/thaw {"host": "node1@lvm"} -> 400`, `admin PUT /os-services/freeze {"host": "x"} -> 400`},
	"pools.list|filter not":        {`admin@31 GET /scheduler-stats/get_pools?x=1&y=2 -> 400 Invalid filters x,y are found in query options.`, `admin@30 GET /scheduler-stats/get_pools?x=1 -> 200`},
	"lists|limit not": {
		`member GET /volumes?limit=x -> 400`, `member GET /volumes?limit=-1 -> 400`, `member GET /volumes?offset=-1 -> 400`, `member GET /volumes?offset=2147483648 -> 400`,
		`member GET /volumes?offset=2147483647 -> 200 "volumes":[]`, `member GET /types?limit=x -> 400`, `member@5 GET /messages?limit=x -> 400`, `member@27 GET /attachments?limit=x -> 400`, `member GET /volumes?limit= -> 400`,
	},
	"lists|marker unknown": {
		`member GET /volumes?marker={missing} -> 404`, `member GET /volumes?marker=x -> 404`, `member@27 GET /attachments?marker={missing} -> 404`, `member@5 GET /messages?marker={missing} -> 404`,
		`member GET /volumes?marker={missing}&sort=name:asc -> 404`, `member GET /types?marker={missing} -> 200`,
	},
	"lists|unknown sort key": {
		`member GET /volumes?sort=x -> 400`, `member GET /volumes?sort=size:x -> 400`, `member GET /volumes?sort_key=x -> 400`, `member GET /volumes?sort_dir=x -> 400`,
		`member GET /volumes?sort=size&sort_key=size -> 400`, `member GET /volumes?sort=size&sort_dir=asc -> 400`, `member@27 GET /attachments?sort=x -> 400`, `member GET /types?sort=x -> 400`,
	},
	"lists|unknown filter": {
		`member@31 GET /volumes?x=1 -> 400 Invalid filters x are found in query options.`, `member@30 GET /volumes?x=1 -> 200`, `admin@31 GET /volumes?x=1 -> 200 "volumes":[]`,
		`member@31 GET /attachments?x=1 -> 400`, `member@27 GET /attachments?x=1 -> 200`, `member@31 GET /messages?x=1 -> 400`,
	},
	"lists|all_tenants": {`member GET /volumes?all_tenants=1 -> 200`, `member@31 GET /volumes?all_tenants=x -> 200`, `member@31 GET /attachments?all_tenants=1 -> 200`, `member@31 GET /messages?all_tenants=1 -> 200`},
	"lists|boolean filter": {
		`member@2 GET /volumes?bootable=x -> 400`, `member@1 GET /volumes?bootable=x -> 200`, `member@45 GET /volumes?with_count=x -> 400`, `member@65 GET /volumes?consumes_quota=x -> 400`, `member@64 GET /volumes?consumes_quota=x -> 200`,
	},
}

// elsewhere are rows that the functions below, or other tests, are about.
var elsewhere = []string{
	"any|fault name by status", "any|every reply", "any|no token", "any|no microversion", "any|header", "any|version",
	"any|Content-Type", "any|over quota", "volumes.create|default type", "volume_metadata.replace, volume_metadata.set|If-Match",
	"capabilities.show|backend silent", "attachments.create|backend failure", "attachments.update|backend failure", "volume_actions.initialize_connection|backend failure", "versions.",
}

func TestContractErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	used := map[string]bool{}
	for _, row := range rows(t, "errors") {
		key := row["op"] + "|" + row["condition"]
		lines := scriptOf(key, used)
		if lines == nil && !begins(key, elsewhere) {
			t.Errorf("no requests for the row %s", key)
		}
		s := w.script()
		for _, line := range lines {
			if err := s.run(line); err != nil {
				t.Errorf("%s:\n%v", key, err)
			}
		}
	}
	for begin := range errorScripts {
		if !used[begin] {
			t.Errorf("no row for the requests %s", begin)
		}
	}
}

func scriptOf(key string, used map[string]bool) []string {
	for begin, lines := range errorScripts {
		if strings.HasPrefix(key, begin) && !used[begin] {
			used[begin] = true
			return lines
		}
	}
	return nil
}

func begins(key string, with []string) bool {
	for _, begin := range with {
		if strings.HasPrefix(key, begin) {
			return true
		}
	}
	return false
}

func TestContractVersionHeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for header, want := range map[string]struct {
		status int
		echoed string
	}{
		"":                                {200, "volume 3.0"},
		"volume latest":                   {200, "volume 3.71"},
		"volumev3 3.27":                   {200, "volume 3.27"}, // gophercloud v1 names the service by its type
		"volume 3.71":                     {200, "volume 3.71"},
		"compute 2.1, volume 3.27":        {200, "volume 3.27"},
		"volume 3.27,compute 2.1":         {200, "volume 3.27"},
		"volume 3.99":                     {406, "volume 3.99"},
		"volume 2.9":                      {406, "volume 2.9"},
		"volume 4.0":                      {406, "volume 4.0"},
		"volume 2.0":                      {406, ""},
		"volume abc":                      {400, ""},
		"volume 3.1.2":                    {400, ""},
		"volume 3":                        {400, ""},
		"volume 3.01":                     {400, ""},
		"volume LATEST":                   {400, ""},
		"VOLUME 3.30":                     {400, ""},
		"compute 2.1":                     {400, ""},
		"block-storage 3.5":               {400, ""},
		"volume":                          {400, ""},
		"volume 99999999999999.1":         {406, "volume 99999999999999.1"},
		"volume 3.9999999999999999999999": {406, "volume 3.9999999999999999999999"},
	} {
		r := httptest.NewRequest("GET", "/v3/volumes", nil)
		r.Header.Set("X-Auth-Token", "member")
		r.Header.Set("X-OpenStack-Volume-API-Version", "1.0")
		if header != "" {
			r.Header.Set(versionHeader, header)
		}
		got := w.send(r)
		if got.status != want.status || got.header.Get(versionHeader) != want.echoed {
			t.Errorf("%q: %d %q %s", header, got.status, got.header.Get(versionHeader), got.body)
		}
		if got.status == 406 && (got.at("computeFault", "code") != 406.0 || !strings.Contains(got.message(), "Minimum is 3.0 and maximum is 3.71")) {
			t.Errorf("%q: %s", header, got.body)
		}
	}
}

// Several headers are one list, and the documents of versions negotiate as all else does.
func TestVersionHeaderEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, ok := range map[string]int{"/v3/volumes": 200, "/v3/": 200, "/": 300} {
		for header, want := range map[string]int{"volume 3.27": ok, "volume 3.99": 406, "volume abc": 400} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("X-Auth-Token", "member")
			r.Header.Add(versionHeader, "compute 2.1")
			r.Header.Add(versionHeader, header)
			got := w.send(r)
			if got.status != want || want != 400 && (got.header.Get(versionHeader) != header || got.header.Get("Vary") != versionHeader) {
				t.Errorf("%s at %s: %d %v", path, header, got.status, got.header)
			}
		}
	}
}

func TestContractHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/v3/volumes", "/v3/volumes/" + missing, "/v3/os-services", "/v3/volumes?limit=x"} {
		r := w.do("member@30", "GET", path, "")
		id := r.header.Get("X-Openstack-Request-Id")
		if r.header.Get(versionHeader) != "volume 3.30" || r.header.Get("Vary") != versionHeader ||
			!globalID.MatchString(id) || r.header.Get("X-Compute-Request-Id") != id {
			t.Errorf("%s: %v", path, r.header)
		}
	}
	for _, token := range []string{"", "nobody"} {
		r := w.do(token, "GET", "/v3/volumes", "").want(t, 401)
		if r.at("error", "code") != 401.0 || r.at("error", "title") != "Unauthorized" || r.header.Get("WWW-Authenticate") == "" {
			t.Error(r.body, r.header)
		}
	}
}

func TestContractContentType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const body = `{"volume": {"size": 1}}`
	for mediaType, want := range map[string]int{
		"application/json": 202, "application/vnd.openstack.volume+json": 202, "application/json; charset=utf-8": 202,
		"APPLICATION/JSON": 415, "text/plain": 415, "application/xml": 415, "": 400,
	} {
		r := httptest.NewRequest("POST", "/v3/volumes", strings.NewReader(body))
		r.Header.Set("X-Auth-Token", "member")
		r.Header.Set("Content-Type", mediaType)
		if got := w.send(r); got.status != want {
			t.Errorf("%q: %d %s", mediaType, got.status, got.body)
		}
	}
	w.do("member", "GET", "/v3/volumes", `{}`).want(t, 400)
	w.do("member", "DELETE", "/v3/volumes/"+missing, `{}`).want(t, 400)
	large := w.do("member", "POST", "/v3/volumes", `{"volume": {"name": "`+strings.Repeat("x", 114688)+`"}}`).want(t, 413)
	if large.at("code") != "413 Request Entity Too Large" || large.header.Get(versionHeader) != "" {
		t.Error(large.body)
	}
}

func TestContractOverQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.volume("member", "")
	w.do("admin", "PUT", "/v3/os-quota-sets/"+ownProject, `{"quota_set": {"gigabytes": 5, "volumes": 3}}`).want(t, 200)
	check := func(r response, text string) {
		t.Helper()
		if r.status != 413 || r.header.Get("Retry-After") != "0" || r.at("overLimit", "retryAfter") != "0" || !strings.Contains(r.message(), text) {
			t.Errorf("%d %v %s", r.status, r.header, r.body)
		}
	}
	check(w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 5}}`),
		"VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. Requested 5G, quota is 5G and 1G has been consumed.")
	w.volume("member", "")
	w.volume("member", "")
	check(w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1}}`), "VolumeLimitExceeded: Maximum number of volumes allowed (3) exceeded for quota 'volumes'.")
	if r := w.do("member", "GET", "/v3/limits", ""); r.at("limits", "absolute", "totalVolumesUsed") != 3.0 || r.at("limits", "absolute", "totalGigabytesUsed") != 3.0 {
		t.Error("a refused create counts", r.body)
	}
}

func TestContractNodeFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node.fail = fault.New(fault.Unavailable, "the node is away")
	id := w.volume("member", "")
	connector := `"connector": {"host": "h", "initiator": "i"}`
	r := w.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", `+connector+`}}`).want(t, 500)
	if !strings.Contains(r.message(), "Unable to create attachment for volume") || r.at("computeFault", "code") != 500.0 {
		t.Error(r.body)
	}
	left := w.do("member@44", "GET", "/v3/attachments", "")
	if left.at("attachments", 0, "status") != "error_attaching" {
		t.Error("the record must stay", left.body)
	}
	r = w.do("member@44", "PUT", "/v3/attachments/"+left.at("attachments", 0, "id").(string), `{"attachment": {`+connector+`}}`).want(t, 500)
	if !strings.Contains(r.message(), "Unable to update attachment") {
		t.Error(r.body)
	}
}

func TestContractDefaultTypeMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.DefaultType = "unheard" })
	r := w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1}}`).want(t, 500)
	if !strings.Contains(r.message(), "default volume type unheard cannot be found") {
		t.Error(r.body)
	}
}
