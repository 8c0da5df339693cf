package api

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"clinker/db"
)

// What the contract's tables say of transfers; see contract_test.go.
func init() {
	maps.Copy(moreWords, map[string]func(*script) string{
		"transfer": func(s *script) string {
			id, key := s.offer(s.volume("member", ""), "")
			s.words["{key}"] = key
			return id
		},
		"encrypted": func(s *script) string {
			return s.volume("member", `, "volume_type": "`+s.fill("{luks}")+`"`)
		},
		"halfsnapped": func(s *script) string {
			r := s.do("member", "GET", "/v3/snapshots/"+s.fill("{snaperror}"), "")
			return r.at("snapshot", "volume_id").(string)
		},
	})
	const create = `{"transfer": {"volume_id": "{free}"}}`
	maps.Copy(errorScripts, map[string][]string{
		"backups.restore, transfers.accept|quota": {
			`member GET /volume-transfers/{transfer} -> 200`,
			`admin PUT /os-quota-sets/` + otherProject + ` {"quota_set": {"volumes": 0}} -> 200`,
			`other POST /volume-transfers/{transfer}/accept {"accept": {"auth_key": "{key}"}} -> 413 VolumeLimitExceeded: Maximum number of volumes allowed (0) exceeded`,
			`admin PUT /os-quota-sets/` + otherProject + ` {"quota_set": {"volumes": -1, "gigabytes": 0}} -> 200`,
			`other POST /volume-transfers/{transfer}/accept {"accept": {"auth_key": "{key}"}} -> 413 "message":"Requested volume or snapshot exceeds allowed gigabytes quota. Requested 1G, quota is 0G`,
			`admin PUT /os-quota-sets/` + otherProject + ` {"quota_set": {"volumes": -1, "gigabytes": -1, "per_volume_gigabytes": 0}} -> 200`,
			`other POST /volume-transfers/{transfer}/accept {"accept": {"auth_key": "{key}"}} -> 413 VolumeSizeExceedsLimit: Requested volume size 1G is larger than`,
			`admin DELETE /os-quota-sets/` + otherProject + ` -> 200`,
			`member GET /volume-transfers/{transfer} -> 200`,
			`member GET /backups/{bigbackup} -> 200`,
			`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"gigabytes": 1}} -> 200`,
			`member POST /backups/{bigbackup}/restore {"restore": {}} -> 413 "message":"Requested volume or snapshot exceeds allowed gigabytes quota.`,
			`admin PUT /os-quota-sets/` + ownProject + ` {"quota_set": {"volumes": 1, "gigabytes": -1}} -> 200`,
			`member POST /backups/{bigbackup}/restore {"restore": {}} -> 413 "message":"Maximum number of volumes allowed (1) exceeded`,
			`admin DELETE /os-quota-sets/` + ownProject + ` -> 200`, `member GET /backups/{bigbackup} -> 200 "available"`,
		},
		"transfers.create|volume not": {
			`member POST /volume-transfers {"transfer": {"volume_id": "{used}"}} -> 400 Invalid volume: status must be available`,
			`member POST /os-volume-transfer {"transfer": {"volume_id": "{used}"}} -> 400 Invalid volume: status must be available`,
			`member@69 POST /volume-transfers {"transfer": {"volume_id": "{encrypted}"}} -> 400 Invalid volume: transferring encrypted volume is not supported`,
			`member@70 POST /volume-transfers {"transfer": {"volume_id": "{encrypted}", "no_snapshots": true}} -> 400 Invalid volume: transferring an encrypted volume without its snapshots is not supported`,
			`member@70 POST /volume-transfers {"transfer": {"volume_id": "{encrypted}"}} -> 202`,
			`member POST /volume-transfers {"transfer": {"volume_id": "{halfsnapped}"}} -> 400 Invalid snapshot: snapshot: {snaperror} status must be available`,
			`member@55 POST /volume-transfers {"transfer": {"volume_id": "{halfsnapped}", "no_snapshots": "yes"}} -> 202 "no_snapshots":true`,
			`member@54 POST /volume-transfers {"transfer": {"volume_id": "{free}", "no_snapshots": true}} -> 400 ('no_snapshots' was unexpected)`,
			`member@55 POST /os-volume-transfer {"transfer": {"volume_id": "{free}", "no_snapshots": true}} -> 400 ('no_snapshots' was unexpected)`,
			`reader POST /volume-transfers ` + create + ` -> 403 volume:create_transfer`,
			`other POST /volume-transfers ` + create + ` -> 404 Volume {free} could not be found.`,
			`member POST /volume-transfers ` + create + ` -> 202 "auth_key":"`,
			`member POST /volume-transfers ` + create + ` -> 400 status must be available`,
			`member DELETE /volumes/{free} -> 400 awaiting a transfer`,
		},
		"transfers.accept|": {
			`other POST /volume-transfers/{transfer}/accept {"accept": {"auth_key": "0000000000000000"}} -> 400 Invalid auth key: Attempt to transfer {transfer} with invalid auth key.`,
			`other POST /os-volume-transfer/{transfer}/accept {"accept": {"auth_key": 7}} -> 400 Invalid auth key`,
			`other POST /volume-transfers/{transfer}/accept {"accept": {"auth_key": ""}} -> 400 Invalid auth key`,
			`reader POST /volume-transfers/{transfer}/accept {"accept": {"auth_key": "{key}"}} -> 403 volume:accept_transfer`,
			`other POST /volume-transfers/{missing}/accept {"accept": {"auth_key": "{key}"}} -> 404 Transfer {missing} could not be found.`,
		},
		"transfers.show|": {
			`other GET /volume-transfers/{transfer} -> 404 Transfer {transfer} could not be found.`, `admin GET /os-volume-transfer/{transfer} -> 200`,
			`other DELETE /volume-transfers/{transfer} -> 404`, `reader DELETE /volume-transfers/{transfer} -> 403 volume:delete_transfer`,
			`other POST /volume-transfers/{transfer}/accept {"accept": {"auth_key": "{key}"}} -> 202 !auth_key`,
			`member GET /volume-transfers/{transfer} -> 404`, `other GET /volume-transfers/{transfer} -> 404`, `member DELETE /volume-transfers/{transfer} -> 404`,
			`other POST /volume-transfers/{transfer}/accept {"accept": {"auth_key": "{key}"}} -> 404`,
		},
	})
	maps.Copy(operations, map[string]operation{
		"transfers.create":    {"member", "POST", "/volume-transfers", create},
		"transfers.accept":    {"other", "POST", "/volume-transfers/{transfer}/accept", `{"accept": {"auth_key": "x"}}`},
		"os_transfers.create": {"member", "POST", "/os-volume-transfer", create},
		"os_transfers.accept": {"other", "POST", "/os-volume-transfer/{transfer}/accept", `{"accept": {"auth_key": "x"}}`},
	})
	const lists = "transfers.list, transfers.detail|"
	maps.Copy(filterScripts, map[string][]string{
		lists + "filter|": {
			"member volume-transfers?name=of-a = a", "member@71 volume-transfers/detail?name=of-b = b", "member@71 volume-transfers?volume_id={c} = c", "member volume-transfers?x=y = ",
			"member@71 volume-transfers?no_snapshots=true = b", "member volume-transfers?salt=x = ", "member volume-transfers?crypt_hash=x = ", "member@71 os-volume-transfer?source_project_id=" + otherProject + " = ",
			"admin volume-transfers?all_tenants=1 = a b c d e o", "admin volume-transfers?all_tenants=1&project_id=" + otherProject + " = o", "member volume-transfers?all_tenants=1&project_id=" + otherProject + " = a b c d e",
		},
		lists + "paging|": {
			"member volume-transfers?limit=2 = a b", "member volume-transfers?limit=2&offset=1 = b c", "member@58 volume-transfers = a b c d e", "member@58 volume-transfers?sort=created_at = ", "member@58 volume-transfers?sort_key=nonsense = ",
			"member@59 volume-transfers = e d c b a", "member@59 volume-transfers?sort=created_at:asc = a b c d e", "member@59 volume-transfers?sort=display_name:asc&limit=2 = a b", "member@59 volume-transfers?sort=name = 400",
			"member@59 volume-transfers?marker=" + missing + " = 404", "member@59 volume-transfers?limit=x = 400",
		},
		lists + "links|": {"member volume-transfers?limit=2 = a b"},
		"os_transfers.list, os_transfers.detail|paging|": {"member os-volume-transfer?limit=2&offset=1 = b c", "member@71 os-volume-transfer = a b c d e", "member@71 os-volume-transfer/detail?limit=1 = a"},
	})
	fieldsElsewhere = append(fieldsElsewhere, "transfer.create", "transfer.accept")
}

// offer offers a volume and gives the transfer's id and key.
func (w *world) offer(volumeID, more string) (id, key string) {
	w.t.Helper()
	r := w.do("member@71", "POST", "/v3/volume-transfers", `{"transfer": {"volume_id": "`+volumeID+`", "name": "offer"`+more+`}}`).want(w.t, 202)
	return r.at("transfer", "id").(string), r.at("transfer", "auth_key").(string)
}

// accept takes a volume as somebody.
func (w *world) accept(persona, id, key string) response {
	w.t.Helper()
	return w.do(persona, "POST", "/v3/volume-transfers/"+id+"/accept", `{"accept": {"auth_key": "`+key+`"}}`)
}

// shelveTransfers offers every volume of the shelf, as of-<name>.
func (w *world) shelveTransfers() {
	w.t.Helper()
	_, err := w.db.Pool().Exec(w.t.Context(), `INSERT INTO transfers (id, volume_id, source_project_id, name, salt, crypt_hash, no_snapshots, created_at)
		SELECT gen_random_uuid(), id, project_id, 'of-' || name, '', '', name = 'b', created_at FROM volumes`)
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) transferPlaces() map[string]place {
	get := func(path string, way ...any) place { return place{method: "GET", path: "/v3" + path, way: way} }
	id, _ := w.offer(w.volume("member", ""), "")
	return map[string]place{
		"transfer.summary": get("/volume-transfers", "transfers", 0),
		"transfer.detail":  get("/os-volume-transfer/"+id, "transfer"),
		"transfers list":   get("/volume-transfers"),
	}
}

func TestTransferViews(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	get := func(name, path string) viewCase { return viewCase{name, "GET", fixed(path), ""} }
	id, _ := w.offer(w.volume("member", ""), "")
	w.views([]viewCase{
		get("transfers.list", "/v3/volume-transfers"),
		get("transfers.list-paged", "/v3/"+ownProject+"/volume-transfers?limit=1"),
		get("transfers.detail", "/v3/os-volume-transfer/detail"),
		get("transfers.show", "/v3/volume-transfers/"+id),
	})
}

// The answers to create and accept, at every microversion (fields.tsv).
func TestContractTransferAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	for v := MinVersion; v <= MaxVersion; v++ {
		path := []string{"/v3/volume-transfers", "/v3/os-volume-transfer"}[v%2]
		r := w.do(fmt.Sprintf("member@%d", v), "POST", path, `{"transfer": {"volume_id": "`+w.volume("member", "")+`"}}`).want(t, 202)
		made, _ := r.at("transfer").(map[string]any)
		for _, row := range rows(t, "fields") {
			if row["view"] != "transfer.create" {
				continue
			}
			value, there := made[row["field"]]
			if should := v >= sinceOf(row["min_version"]); there != should || there && !isOf(value, row["type"]) {
				t.Errorf("at %s: %s is %v, %t", v, row["field"], value, there)
			}
		}
		key, _ := made["auth_key"].(string)
		if len(key) != 16 || strings.Trim(key, "0123456789abcdef") != "" {
			t.Errorf("key %q", key)
		}
		accepted := w.accept(fmt.Sprintf("other@%d", v), made["id"].(string), key).want(t, 202)
		summary, _ := accepted.at("transfer").(map[string]any)
		if len(summary) != 4 || summary["volume_id"] != made["volume_id"] || !strings.Contains(accepted.body, "/os-volume-transfer/") {
			t.Errorf("at %s: %s", v, accepted.body)
		}
	}
}
