package api

import (
	"maps"
	"testing"
	"time"

	"clinker/db"
)

// What the contract's tables say of moving volumes; see contract_test.go.
func init() {
	maps.Copy(moreWords, map[string]func(*script) string{
		// elsenode is another node's backend, which is up.
		"elsenode": func(s *script) string {
			if _, err := s.db.Heartbeat(s.t.Context(), db.Service{Host: "node2@lvm", Daemon: db.DaemonVolume, AvailabilityZone: "nova", Endpoint: "https://127.0.0.1:2"}); err != nil {
				s.t.Fatal(err)
			}
			return "node2@lvm"
		},
		// onto is what {free} is being moved onto.
		"onto": func(s *script) string {
			id := s.volume("member", "")
			s.sql("UPDATE volumes SET migration_status = 'target:' || $1 WHERE id = $2", s.fill("{free}"), id)
			return id
		},
	})
	const migrate, complete = `/action {"os-migrate_volume": {"host": "`, `/action {"os-migrate_volume_completion": {"new_volume": "`
	maps.Copy(errorScripts, map[string][]string{
		"volume_actions.migrate_volume|no such": {
			`admin POST /volumes/{free}` + migrate + `nowhere@lvm#pool"}} -> 400 Invalid host: No available service named 'nowhere@lvm#pool'`,
			`admin@16 POST /volumes/{free}/action {"os-migrate_volume": {"cluster": "c"}} -> 400 Invalid host: No available service named 'c'`,
			`admin POST /volumes/{free}` + migrate + `{elsenode}"}} -> 202`, `admin PUT /os-services/disable {"host": "node2@lvm", "binary": "cinder-volume"} -> 200`,
			`admin POST /volumes/{big}` + migrate + `{elsenode}"}} -> 400 Invalid host`, `admin PUT /os-services/enable {"host": "node2@lvm", "binary": "cinder-volume"} -> 200`,
		},
		"volume_actions.migrate_volume|has snapshots": {
			`admin POST /volumes/{free}` + migrate + `node1@lvm#pool"}} -> 400 destination host/cluster must be different than the current one: it is there already.`,
			`admin POST /volumes/{free}` + migrate + `node1@lvm"}} -> 400 it is there already.`,
			`member POST /volumes/{free}` + migrate + `{elsenode}"}} -> 403 volume_extension:volume_admin_actions:migrate_volume`,
			`admin POST /volumes/{missing}` + migrate + `{elsenode}"}} -> 404`,
			`admin POST /volumes/{used}` + migrate + `{elsenode}"}} -> 400 it is attached, and there is no compute service that could move it.`,
			`admin POST /volumes/{error}` + migrate + `{elsenode}"}} -> 400 its status is error.`,
			`member GET /snapshots/{snapshot} -> 200`, `admin POST /volumes/{snapped}` + migrate + `{elsenode}"}} -> 400 it has snapshots.`,
			`admin POST /volumes/{free}/action {"os-migrate_volume": {"host": "{elsenode}", "lock_volume": "on", "force_host_copy": true}} -> 202`,
			`member GET /volumes/{free} -> 200 "status":"maintenance"`, `admin GET /volumes/{free} -> 200 "os-vol-mig-status-attr:migstat":"starting"`,
			`admin POST /volumes/{free}` + migrate + `{elsenode}"}} -> 400 its status is maintenance.`,
			`member POST /volumes/{free}/action {"os-reserve": null} -> 400`, `member DELETE /volumes/{free} -> 400 must not be migrating`, `admin POST /volumes/{free}/action {"os-force_delete": {}} -> 400 must not be migrating`,
			`admin POST /volumes/{big}` + migrate + `{elsenode}", "lock_volume": false}} -> 202`, `member GET /volumes/{big} -> 200 "status":"available"`,
			`admin POST /volumes/{big}` + migrate + `{elsenode}"}} -> 400 it is being migrated.`, `member DELETE /volumes/{big} -> 400 must not be migrating`,
			`member POST /snapshots {"snapshot": {"volume_id": "{big}"}} -> 400 Snapshot cannot be created while volume is migrating.`,
			`member POST /volumes/{big}/action {"os-retype": {"new_type": "{type}"}} -> 400 not be part of an active migration`,
			`member POST /volumes/{big}/action {"os-reserve": null} -> 202`,
		},
		"volume_actions.migrate_volume|host and cluster": {
			`admin@16 POST /volumes/{free}/action {"os-migrate_volume": {"host": "h", "cluster": "c"}} -> 400 One and only one of cluster and host must be set.`,
			`admin@16 POST /volumes/{free}/action {"os-migrate_volume": {}} -> 400 One and only one of cluster and host must be set.`,
			`admin@15 POST /volumes/{free}/action {"os-migrate_volume": {"host": ""}} -> 400 Host field is missing.`, `admin@15 POST /volumes/{free}/action {"os-migrate_volume": {"cluster": "c"}} -> 400`,
		},
		"volume_actions.migrate_volume_completion|": {
			`member POST /volumes/{free}` + complete + `{onto}"}} -> 403 volume_extension:volume_admin_actions:migrate_volume_completion`,
			`admin POST /volumes/{free}` + complete + `{missing}"}} -> 404`,
			`admin POST /volumes/{big}` + complete + `{used}", "error": false}} -> 200 {"save_volume_id":"{used}"}`,
			`admin POST /volumes/{free}` + complete + `{onto}"}} -> 400 Source volume not mid-migration.`,
			`admin POST /volumes/{onto}` + complete + `{free}"}} -> 400 Destination volume not mid-migration.`,
			`admin POST /volumes/{free}/action {"os-reset_status": {"migration_status": "migrating"}} -> 202`,
			`admin POST /volumes/{big}/action {"os-reset_status": {"migration_status": "migrating"}} -> 202`,
			`admin POST /volumes/{big}` + complete + `{onto}"}} -> 400 Destination has migration_status target:{free}, expected target:{big}.`,
			`admin POST /volumes/{free}` + complete + `{onto}"}} -> 400 Volume {free} is not being moved onto volume {onto}.`,
			`admin POST /volumes/{free}` + complete + `{onto}", "error": "yes"}} -> 400 Volume {free} is not being moved onto volume {onto}.`,
			`member DELETE /volumes/{onto} -> 400 must not be migrating`,
		},
	})
	maps.Copy(operations, map[string]operation{
		"volume_actions.migrate_volume":            {"admin", "POST", "/volumes/{free}/action", `{"os-migrate_volume": {"host": "nowhere@lvm"}}`},
		"volume_actions.migrate_volume_completion": {"admin", "POST", "/volumes/{free}/action", `{"os-migrate_volume_completion": {"new_volume": "{big}"}}`},
	})
}

// TestMigrationTargetsAreHidden: tenants see the volume that is moved, and not what
// it is moved onto.
func TestMigrationTargetsAreHidden(t *testing.T) {
	t.Parallel()
	s := newWorld(t).script()
	free, onto := s.fill("{free}"), s.fill("{onto}")
	for query, want := range map[string]int{"member volumes": 1, "admin volumes": 2, "admin volumes?no_migration_targets=True": 1,
		"admin volumes?no_migration_targets=0": 2, "admin volumes?all_tenants=1": 2, "reader volumes/detail?no_migration_targets=False": 1} {
		persona, path, _ := cut(query)
		list, _ := s.do(persona, "GET", "/v3/"+path, "").want(t, 200).at("volumes").([]any)
		if len(list) != want {
			t.Errorf("%s: %d of %s and %s", query, len(list), free, onto)
		}
	}
}

func cut(query string) (persona, path string, ok bool) {
	for i, c := range query {
		if c == ' ' {
			return query[:i], query[i+1:], true
		}
	}
	return query, "", false
}

// TestFrozenBackendKeepsWhatItHas: in Cinder's words.
func TestFrozenBackendKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	s := newWorld(t).script()
	const refused = " -> 400 Invalid input received: Modification operations are not allowed on frozen storage backends."
	for _, line := range []string{`member GET /volumes/{free} -> 200`, `member GET /snapshots/{snapshot} -> 200`, `admin PUT /os-services/freeze {"host": "node1"} -> 200`,
		`admin GET /os-services?binary=cinder-volume -> 200 "disabled_reason":"frozen"`,
		`member DELETE /volumes/{free}` + refused, `admin POST /volumes/{free}/action {"os-force_delete": {}}` + refused,
		`member DELETE /snapshots/{snapshot}` + refused, `member POST /snapshots {"snapshot": {"volume_id": "{free}"}}` + refused,
		`admin PUT /os-services/thaw {"host": "node1"} -> 200`, `admin GET /os-services?binary=cinder-volume -> 200 "status":"enabled"`,
		`member DELETE /volumes/{free} -> 202`} {
		if err := s.run(line); err != nil {
			t.Error(err)
		}
	}
}

// TestFailoverOfALostNode: a host whose node is silent is declared lost, and not
// twice.
func TestFailoverOfALostNode(t *testing.T) {
	t.Parallel()
	s := newWorld(t, func(o *Options) { o.ServiceDownTime = time.Minute }).script()
	id := s.fill("{used}")
	s.sql("UPDATE services SET heartbeat_at = now() - interval '1 hour' WHERE daemon = 'cinder-volume'")
	for _, line := range []string{`admin PUT /os-services/failover_host {"host": "node1@lvm", "backend_id": "default"} -> 400 must be up to fail back`,
		`admin PUT /os-services/failover_host {"host": "node1@lvm"} -> 202`, `admin PUT /os-services/failover_host {"host": "node1@lvm"} -> 400`,
		`admin GET /os-services?binary=cinder-volume -> 200 "replication_status":"failing-over"`, `admin GET /os-services?binary=cinder-volume -> 200 "disabled_reason":"failed-over"`} {
		if err := s.run(line); err != nil {
			t.Error(err)
		}
	}
	// Nobody waits for the node to cut its hosts off.
	s.node.fail = errNodeIsGone
	s.do("service@44", "DELETE", "/v3/attachments/"+s.fill("{attachment}"), "").want(t, 200)
	s.do("member", "GET", "/v3/volumes/"+id, "").want(t, 200)
}

var errNodeIsGone = db.VolumeNotFound("the node is gone")
