package api

import (
	"strings"
	"testing"

	"clinker/db"
)

func TestServiceLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.db.Heartbeat(t.Context(), db.Service{Host: "control", Daemon: db.DaemonScheduler, AvailabilityZone: "nova"}); err != nil {
		t.Fatal(err)
	}
	field := func(name string) any {
		t.Helper()
		return w.do("admin@71", "GET", "/v3/os-services?binary=cinder-volume", "").want(t, 200).at("services", 0, name)
	}
	r := w.do("admin", "PUT", "/v3/os-services/disable-log-reason", `{"host": "node1@lvm", "binary": "cinder-volume", "disabled_reason": " disk "}`).want(t, 200)
	if r.body != `{"host":"node1@lvm","service":"","binary":"cinder-volume","status":"disabled","disabled":true,"disabled_reason":"disk"}` {
		t.Error(r.body)
	}
	if field("status") != "disabled" || field("disabled_reason") != "disk" || field("backend_state") != "up" || field("state") != "up" {
		t.Error(w.do("admin@71", "GET", "/v3/os-services", "").body)
	}
	if r := w.do("member", "GET", "/v3/os-availability-zone", ""); r.body != `{"availabilityZoneInfo":[{"zoneName":"nova","zoneState":{"available":false}}]}` {
		t.Error(r.body)
	}
	r = w.do("admin", "PUT", "/v3/os-services/enable", `{"host": "node1@lvm", "service": "cinder-volume"}`).want(t, 200)
	if r.body != `{"host":"node1@lvm","service":"cinder-volume","binary":"","status":"enabled","disabled":false}` {
		t.Error(r.body)
	}
	if field("status") != "enabled" || field("disabled_reason") != nil {
		t.Error("enabling keeps something")
	}
	w.do("admin", "PUT", "/v3/os-services/disable", `{"host": "node1@lvm", "binary": "cinder-volume"}`).want(t, 200)
	if field("status") != "disabled" {
		t.Error("still enabled")
	}
	if r := w.do("admin", "PUT", "/v3/os-services/freeze", `{"host": "node1"}`).want(t, 200); r.body != "" || field("frozen") != true {
		t.Error(r.body)
	}
	w.do("admin", "PUT", "/v3/os-services/freeze", `{"host": "node1@lvm"}`).want(t, 400)
	w.do("admin@26", "PUT", "/v3/os-services/thaw", `{"host": "node1@lvm"}`).want(t, 200)
	if field("frozen") != false {
		t.Error("still frozen")
	}
	for query, want := range map[string]string{
		"":                                   "cinder-scheduler cinder-volume",
		"?host=control":                      "cinder-scheduler",
		"?host=node1@lvm":                    "cinder-volume",
		"?binary=cinder-backup":              "",
		"?binary=cinder-volume&host=control": "",
		"?nonsense=1":                        "cinder-scheduler cinder-volume",
	} {
		if got := w.do("admin", "GET", "/v3/os-services"+query, "").names("services", "binary"); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
}

func TestServiceRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("member", "GET", "/v3/os-services", "").want(t, 403)
	w.do("member", "PUT", "/v3/os-services/enable", `{"host": "node1@lvm", "binary": "cinder-volume"}`).want(t, 403)
	for request, want := range map[string]struct {
		body   string
		status int
		text   string
	}{
		"admin enable 1":             {`{"host": "nowhere", "binary": "cinder-volume"}`, 404, "Service cinder-volume could not be found on host nowhere."},
		"admin enable 2":             {`{"host": "node1@lvm", "binary": "cinder-backup"}`, 404, "cinder-backup"},
		"admin enable 3":             {`{"binary": "cinder-volume"}`, 400, "Host field is missing."},
		"admin enable 4":             {`{"host": null, "binary": "cinder-volume"}`, 400, "Host field is missing."},
		"admin enable 5":             {`{"host": "node1@lvm"}`, 400, "binary"},
		"admin disable 1":            {`{"host": "a b", "binary": "cinder-volume"}`, 400, "host"},
		"admin disable 2":            {`{"host": "node1@lvm", "binary": ""}`, 400, "binary"},
		"admin disable 3":            {`{"host": "node1@lvm", "binary": "cinder-volume", "x": 1}`, 400, "x"},
		"admin disable 4":            {`{"host": "node1@lvm", "binary": "cinder-volume", "disabled_reason": "r"}`, 400, "disabled_reason"},
		"admin disable-log-reason 1": {`{"host": "node1@lvm", "binary": "cinder-volume", "disabled_reason": "  "}`, 400, "disabled_reason"},
		"admin disable-log-reason 2": {`{"host": "node1@lvm", "binary": "cinder-volume", "disabled_reason": "` + strings.Repeat("r", 256) + `"}`, 400, "disabled_reason"},
		"admin freeze 1":             {`{}`, 400, "Host field is missing."},
		"admin freeze 2":             {`{"cluster": "c"}`, 400, "Host field is missing."},
		"admin@26 freeze 3":          {`{}`, 400, "One and only one of cluster and host must be set."},
		"admin@26 freeze 4":          {`{"host": "node1@lvm", "cluster": "c"}`, 400, "One and only one"},
		"admin@26 freeze 5":          {`{"cluster": "c"}`, 400, "No service found with cluster=c"},
		"admin thaw 1":               {`{"host": "nowhere"}`, 400, "No service found with host=nowhere"},
		"admin thaw 2":               {`{"host": "node1@lvm"}`, 400, "No service could be changed"},
		"member thaw 3":              {`{"host": "node1@lvm"}`, 403, "volume_extension:services:update"},
	} {
		words := strings.Fields(request)
		r := w.do(words[0], "PUT", "/v3/os-services/"+words[1], want.body)
		if r.status != want.status || !strings.Contains(r.message(), want.text) {
			t.Errorf("%s %s: %d %s", request, want.body, r.status, r.body)
		}
	}
	w.do("admin", "PUT", "/v3/os-services/unheard", `{}`).want(t, 404)
}

func TestPools(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.Serves = func(specs map[string]string, p db.PoolService) bool { return specs["volume_backend_name"] == "lvm" }
	})
	w.volumeType(`{"name": "fits", "extra_specs": {"volume_backend_name": "lvm"}}`)
	w.volumeType(`{"name": "not", "extra_specs": {"volume_backend_name": "ceph"}}`)
	const pool = "node1@lvm#pool"
	for request, want := range map[string]string{
		"admin ":                                      pool,
		"admin@71 ":                                   pool,
		"admin ?name=ignored":                         pool,
		"admin@28 ?name=node1@lvm%23pool":             pool,
		"admin@28 ?name=other":                        "",
		"admin@28 ?storage_protocol=iSCSI":            pool,
		"admin@28 ?storage_protocol=FC":               "",
		"admin@28 ?unheard=1":                         "",
		"admin@71 ?name=node1@lvm%23pool&detail=true": pool,
		"admin@34 ?volume_type=not":                   pool,
		"admin@35 ?volume_type=not":                   "",
		"admin@35 ?volume_type=fits":                  pool,
	} {
		persona, query, _ := strings.Cut(request, " ")
		if got := w.do(persona, "GET", "/v3/scheduler-stats/get_pools"+query, "").want(t, 200).names("pools", "name"); got != want {
			t.Errorf("%s: %q", request, got)
		}
	}
	r := w.do("admin", "GET", "/v3/scheduler-stats/get_pools?detail=True", "").want(t, 200)
	if r.at("pools", 0, "capabilities", "total_capacity_gb") != 1024.0 || r.at("pools", 0, "capabilities", "volume_backend_name") != "lvm" {
		t.Error(r.body)
	}
	w.do("member", "GET", "/v3/scheduler-stats/get_pools", "").want(t, 403)
	w.do("admin", "GET", "/v3/scheduler-stats/get_pools?detail=x", "").want(t, 400)
	w.do("admin@31", "GET", "/v3/scheduler-stats/get_pools?storage_protocol=FC", "").want(t, 400)
	w.do("admin@35", "GET", "/v3/scheduler-stats/get_pools?volume_type=unheard", "").want(t, 404)
}

func TestSummary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.volume("member", `, "metadata": {"a": "1", "b": "x"}`)
	w.volume("member", `, "metadata": {"a": "2"}`)
	w.volume("other", `, "metadata": {"a": "3"}`)
	for persona, want := range map[string]string{
		"member@12": `{"volume-summary":{"total_count":2,"total_size":2}}`,
		"member@36": `{"volume-summary":{"total_count":2,"total_size":2,"metadata":{"a":["1","2"],"b":["x"]}}}`,
		"other@36":  `{"volume-summary":{"total_count":1,"total_size":1,"metadata":{"a":["3"]}}}`,
		"admin@12":  `{"volume-summary":{"total_count":3,"total_size":3}}`,
	} {
		if r := w.do(persona, "GET", "/v3/volumes/summary?all_tenants=1&name=x", ""); r.body != want {
			t.Errorf("%s: %s", persona, r.body)
		}
	}
	w.do("member@11", "GET", "/v3/volumes/summary", "").want(t, 404)
}

func TestResourceFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if r := w.do("member@33", "GET", "/v3/resource_filters?resource=pool", ""); r.body != `{"resource_filters":[{"resource":"pool","filters":["name","volume_type"]}]}` {
		t.Error(r.body)
	}
	if r := w.do("member@33", "GET", "/v3/resource_filters?resource=x", ""); r.body != `{"resource_filters":[]}` {
		t.Error(r.body)
	}
	if r := w.do("member@33", "GET", "/v3/resource_filters", ""); r.names("resource_filters", "resource") != "attachment backup group group_snapshot message pool snapshot volume volume_type" {
		t.Error(r.body)
	}
	w.do("member@32", "GET", "/v3/resource_filters", "").want(t, 404)
}
