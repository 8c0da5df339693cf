package api

import (
	"context"
	"maps"
	"testing"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// What the contract's tables say of services, clusters, hosts and backends; see
// contract_test.go.
func init() {
	maps.Copy(moreWords, map[string]func(*script) string{
		"scheduler": func(s *script) string {
			if _, err := s.db.Heartbeat(s.t.Context(), db.Service{Host: "z", Daemon: db.DaemonScheduler, AvailabilityZone: "nova"}); err != nil {
				s.t.Fatal(err)
			}
			return "z"
		},
		"growing": func(s *script) string {
			id := s.volume("member", "")
			s.do("member", "POST", "/v3/volumes/"+id+"/action", `{"os-extend": {"new_size": 2}}`).want(s.t, 202)
			return id
		},
	})
	const replication = "services.freeze, "
	errorScripts[replication] = append(errorScripts[replication],
		`admin PUT /os-services/failover_host {"host": "nope"} -> 400 No service found with host=nope`,
		`admin PUT /os-services/failover_host {"host": "node1@lvm", "backend_id": "b"} -> 400 No service could be changed: replication_status in node1@lvm must be enabled or failed-over`,
		`admin PUT /os-services/failover_host {"host": "node1@lvm", "backend_id": "default"} -> 400 must be failed-over and must be up to fail back`,
		`admin@26 PUT /os-services/failover {"host": "node1@lvm"} -> 400 No service could be changed`, `admin@25 PUT /os-services/failover {"host": "node1@lvm"} -> 404`,
		`admin@26 PUT /os-services/failover_host {"cluster": "c"} -> 400 No service found with cluster=c`, `admin@26 PUT /os-services/failover {} -> 400 One and only one of cluster and host must be set.`,
		`admin PUT /os-services/failover_host {} -> 400 Host field is missing.`, `member PUT /os-services/failover_host {"host": "x"} -> 403 volume_extension:services:update`,
		`admin@32 PUT /os-services/set-log {"level": "LOUD"} -> 400 LOUD is not a valid log level.`, `admin@32 PUT /os-services/set-log {} -> 400 is not a valid log level`,
		`admin@31 PUT /os-services/get-log {} -> 404`, `member@32 PUT /os-services/get-log {} -> 403`,
	)
	maps.Copy(errorScripts, map[string][]string{
		"clusters.list|unknown filter": {
			`admin@7 GET /clusters?x=y&frozen=1 -> 400 Invalid filter keys: frozen, x`, `admin@26 GET /clusters?frozen=1 -> 200 {"clusters":[]}`, `admin@7 GET /clusters/detail?is_up=maybe -> 400 is_up`,
			`admin@7 GET /clusters/mine -> 404 Cluster mine could not be found.`, `admin@7 PUT /clusters/enable {"name": "mine"} -> 404 Cluster mine could not be found.`,
			`admin@7 PUT /clusters/disable {"name": "mine", "disabled_reason": "r"} -> 404`, `admin@6 GET /clusters -> 404`, `member@7 GET /clusters -> 403 clusters:get_all`,
			`admin@24 POST /workers/cleanup {"resource_type": "lamp"} -> 400 Resource type lamp not valid, must be Snapshot or Volume`,
			`admin@24 POST /workers/cleanup {"resource_id": "{free}"} -> 400 There is no resource with UUID {free} pending cleanup.`,
			`admin@24 POST /workers/cleanup {"resource_id": "{creating}", "resource_type": "SNAPSHOT"} -> 400 There is no resource`,
			`admin@24 POST /workers/cleanup {"resource_id": "{creating}", "resource_type": "volume"} -> 202 {"cleaning":[],"unavailable":[]}`,
			`admin@24 POST /workers/cleanup {"is_up": true, "host": "node1"} -> 202 "unavailable":[{"id":`,
			`admin@24 POST /workers/cleanup {"is_up": true, "host": "{scheduler}"} -> 202 "cleaning":[{"id":`, `admin@24 PUT /workers/cleanup {} -> 202`, `admin@24 POST /workers/cleanup -> 202`,
			`admin@24 POST /workers/cleanup {"is_up": true, "binary": "cinder-volume", "disabled": "no", "cluster_name": null} -> 202 "host":"node1@lvm","binary":"cinder-volume","cluster_name":null`,
			`admin@24 POST /workers/cleanup {"cluster_name": "mine"} -> 202 {"cleaning":[],"unavailable":[]}`, `admin@24 POST /workers/cleanup {"service_id": 999999} -> 202 {"cleaning":[],"unavailable":[]}`,
			`member@24 POST /workers/cleanup {} -> 403 workers:cleanup`, `admin@23 POST /workers/cleanup {} -> 404`,
		},
		"volume_actions.extend_volume_completion|": {
			`admin POST /volumes/{free}/action {"os-extend_volume_completion": {"error": false}} -> 400 Volume status must be extending, but current status is: available.`,
			`admin POST /volumes/{extending}/action {"os-extend_volume_completion": {}} -> 400 has no size to be extended to`,
			`admin@71 POST /volumes/{growing}/action {"os-extend_volume_completion": {"error": "no"}} -> 202`, `member GET /volumes/{growing} -> 200 "status":"extending"`,
			`admin@71 POST /volumes/{growing}/action {"os-extend_volume_completion": {"error": true}} -> 202`, `member GET /volumes/{growing} -> 200 "status":"error_extending"`,
			`member GET /volumes/{growing} -> 200 "size":1`, `admin POST /volumes/{growing}/action {"os-extend_volume_completion": {"error": true}} -> 400 current status is: error_extending`,
			`member POST /volumes/{free}/action {"os-extend_volume_completion": {}} -> 403 extend_volume_completion`,
		},
		"capabilities.show|unknown host": {
			`admin GET /capabilities/nope -> 404 Can't find service: nope`, `admin GET /capabilities/node1@lvm%23pool -> 200 "namespace":"OS::Storage::Capabilities::node1@lvm"`, `member GET /capabilities/node1@lvm -> 403 volume_extension:capabilities`,
			`admin GET /os-hosts/nope -> 404 Host nope could not be found.`, `admin PUT /os-hosts/nope {"status": "enable"} -> 404`, `admin PUT /os-hosts {"status": "enable"} -> 400 The host must be named in the path`,
			`admin PUT /os-hosts/node1@lvm {"power": "on"} -> 400 Invalid update setting: 'power'`, `admin PUT /os-hosts/node1@lvm {} -> 400 status`,
			`admin PUT /os-hosts/node1@lvm {"status": "disable"} -> 200 {"host":"node1@lvm","status":"disabled"}`, `admin GET /os-hosts -> 200 !node1@lvm`,
			`admin PUT /os-hosts/node1@lvm {"Status": " ENABLE"} -> 200 {"host":"node1@lvm","status":"enabled"}`, `member GET /os-hosts -> 403 volume_extension:hosts`,
			`admin GET /os-hosts/node1@lvm -> 200 "project":"(total)"`,
		},
	})
	maps.Copy(operations, map[string]operation{
		"volume_actions.extend_volume_completion": {"admin", "POST", "/volumes/{free}/action", `{"os-extend_volume_completion": {}}`},

		"services.failover_host": {"admin", "PUT", "/os-services/failover_host", `{"host": "node1@lvm"}`},
		"services.failover":      {"admin", "PUT", "/os-services/failover", `{"host": "node1@lvm"}`},
		"services.get_log":       {"admin", "PUT", "/os-services/get-log", `{}`},
		"services.set_log":       {"admin", "PUT", "/os-services/set-log", `{"level": "INFO"}`},
		"clusters.enable":        {"admin", "PUT", "/clusters/enable", `{"name": "c"}`},
		"clusters.disable":       {"admin", "PUT", "/clusters/disable", `{"name": "c"}`},
		"workers.cleanup":        {"admin", "POST", "/workers/cleanup", `{}`},
		"hosts.update":           {"admin", "PUT", "/os-hosts/node1@lvm", `{"status": "enable"}`},
	})
	maps.Copy(filterScripts, map[string][]string{
		"clusters.list, clusters.detail|filter|name": {
			"admin@7 clusters?name=a&binary=b&is_up=1&disabled=0&num_hosts=1&num_down_hosts=2 = 200", "admin@7 clusters?zone=x = 400",
		},
		"clusters.list, clusters.detail|filter|replication_status": {
			"admin@25 clusters?replication_status=x = 400", "admin@26 clusters/detail?replication_status=x&frozen=1&active_backend_id=y = 200",
		},
		"hosts.list|filter|zone": {"admin os-hosts?zone=nova = 200", "admin os-hosts?zone=x = 200"},
	})
}

// Stats is what the simulated node says of itself.
func (n *fakeNode) Stats(context.Context) (*rpc.Stats, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		return nil, n.fail
	}
	return &rpc.Stats{Node: &rpc.Node{Host: "node1", Version: "1.2"}, Pools: []*rpc.Pool{
		{Backend: "lvm", Name: "pool", StorageProtocol: "iSCSI", Capabilities: map[string]string{"volume_backend_name": "gold"}, Io: &rpc.DiskIO{}},
		{Backend: "other", Name: "pool", StorageProtocol: "iSCSI", Io: &rpc.DiskIO{}},
	}}, nil
}

// LogLevels tells what SetLogLevels has set.
func (n *fakeNode) LogLevels(_ context.Context, prefix string) (map[string]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return map[string]string{"clinker" + prefix: n.level}, n.fail
}

func (n *fakeNode) SetLogLevels(_ context.Context, _, level string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.level = level
	return n.fail
}

func (w *world) servicePlaces() map[string]place {
	get := func(path string, way ...any) place { return place{method: "GET", path: "/v3" + path, way: way} }
	return map[string]place{
		"host.summary":     get("/os-hosts", "hosts", 0),
		"host.detail[]":    get("/os-hosts/node1@lvm", "host", 0, "resource"),
		"capabilities":     get("/capabilities/node1@lvm"),
		"services.get_log": {"PUT", "/v3/os-services/get-log", `{}`, []any{"log_levels", 0}},
		"workers.cleanup":  {"POST", "/v3/workers/cleanup", `{"is_up": "on"}`, []any{"cleaning", 0}},
	}
}

// A backend that does not answer is a 502, as in Cinder.
func TestCapabilitiesOfASilentBackend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.do("admin", "GET", "/v3/capabilities/node1@lvm", "").want(t, 200)
	if r.at("volume_backend_name") != "gold" || r.at("pool_name") != "pool" || r.at("properties", "qos", "type") != "boolean" {
		t.Error(r.body)
	}
	w.node.fail = fault.New(fault.Timeout, "no answer")
	r = w.do("admin", "GET", "/v3/capabilities/node1@lvm", "").want(t, 502)
	if r.at("computeFault", "code") != 502.0 {
		t.Error(r.body)
	}
}

// Log levels are set at nodes at once, and schedulers are told with their next
// heartbeat, which is what get-log answers already.
func TestLogLevels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	beat := func() {
		t.Helper()
		if _, err := w.db.Heartbeat(ctx, db.Service{Host: "sched", Daemon: db.DaemonScheduler, AvailabilityZone: "nova"}); err != nil {
			t.Fatal(err)
		}
	}
	beat()
	if err := w.db.RecordLogLevels(ctx, "sched", db.DaemonScheduler, map[string]string{"clinker": "WARNING"}); err != nil {
		t.Fatal(err)
	}
	level := func(body, binary, logger string) any {
		t.Helper()
		r := w.do("admin@32", "PUT", "/v3/os-services/get-log", body).want(t, 200)
		for i := range 9 {
			if r.at("log_levels", i, "binary") == binary {
				return r.at("log_levels", i, "levels", logger)
			}
		}
		return nil
	}
	if got := level(`{"binary": "*"}`, "cinder-scheduler", "clinker.db"); got != "WARNING" {
		t.Errorf("before: %v", got)
	}
	w.do("admin@32", "PUT", "/v3/os-services/set-log", `{"binary": "cinder-scheduler", "prefix": "cinder.db", "level": "debug"}`).want(t, 202)
	if got := level(`{"server": "sched"}`, "cinder-scheduler", "clinker.db"); got != "DEBUG" {
		t.Errorf("asked: %v", got)
	}
	taken, err := w.db.TakeLogRequests(ctx, "sched", db.DaemonScheduler)
	if err != nil || len(taken) != 1 || taken[0].Prefix != "cinder.db" || taken[0].Level != "debug" {
		t.Fatal(taken, err)
	}
	w.do("admin@32", "PUT", "/v3/os-services/set-log", `{"binary": "cinder-volume", "server": "node1", "level": "ERROR"}`).want(t, 202)
	if got := level(`{"binary": "cinder-volume"}`, "cinder-volume", "clinker"); got != "ERROR" {
		t.Errorf("node: %v", got)
	}
	if got := level(`{"server": "control"}`, "cinder-api", "clinker.api"); got == nil {
		t.Error("the API does not tell of itself")
	}
	if got := level(`{"server": "elsewhere"}`, "cinder-api", "clinker"); got != nil {
		t.Error("the API tells of itself though another is asked for")
	}
	w.node.fail = fault.New(fault.Unavailable, "no route")
	r := w.do("admin@32", "PUT", "/v3/os-services/set-log", `{"level": "INFO"}`).want(t, 503)
	if r.message() != "The storage node node1 does not answer at this time." {
		t.Error(r.body)
	}
}
