package api

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// What the contract's tables say of managing and unmanaging; see contract_test.go.
func init() {
	const volume, snapshot = `{"volume": {"host": "node1@lvm#pool", "ref": {"source-name": "data"}}}`, `{"snapshot": {"volume_id": "{free}", "ref": {"source-name": "kept"}}}`
	maps.Copy(errorScripts, map[string][]string{
		"volume_actions.unmanage|": {
			`admin POST /volumes/{encrypted}/action {"os-unmanage": null} -> 400 Unmanaging encrypted volumes is not supported.`,
			`admin POST /volumes/{used}/action {"os-unmanage": {}} -> 400 Invalid volume: Volume status must be available or error or error_restoring`,
			`admin POST /volumes/{reserved}/action {"os-unmanage": {}} -> 400 must not be migrating, attached`,
			`admin POST /volumes/{snapped}/action {"os-unmanage": "{snapshot}"} -> 400 have snapshots`,
			`admin POST /volumes/{creating}/action {"os-unmanage": null} -> 400`,
			`member POST /volumes/{free}/action {"os-unmanage": null} -> 403 volume_extension:volume_unmanage`,
			`other POST /volumes/{free}/action {"os-unmanage": null} -> 404`,
			`admin POST /volumes/{free}/action {"os-unmanage": ""} -> 202 `,
			`admin GET /volumes/{free} -> 200 "status":"unmanaging"`,
			`admin POST /volumes/{error}/action {"os-unmanage": null} -> 202`,
			`member POST /snapshots/{snapshot}/action {"os-unmanage": null} -> 403 snapshot_extension:snapshot_unmanage`,
			`admin POST /snapshots/{snapcreating}/action {"os-unmanage": null} -> 400 Invalid snapshot: Snapshot status must be available or error`,
			`admin POST /snapshots/{snapgrouped}/action {"os-unmanage": null} -> 400 must not be part of a group`,
			`admin POST /snapshots/{snapshot}/action {"os-unmanage": null} -> 202`, `admin GET /snapshots/{snapshot} -> 200 "status":"unmanaging"`,
		},
		"manageable_*.list, manageable_*.create|service disabled": {
			`admin PUT /os-services/disable {"host": "node1@lvm", "binary": "cinder-volume"} -> 200`,
			`admin@8 GET /manageable_volumes?host=node1@lvm -> 400 Service is unavailable at this time.`,
			`admin@8 GET /manageable_snapshots/detail?host=node1@lvm%23pool -> 400 Service is unavailable at this time.`,
			`admin@8 POST /manageable_volumes ` + volume + ` -> 400 Service is unavailable at this time.`,
			`admin@8 POST /manageable_snapshots ` + snapshot + ` -> 400 Service is unavailable at this time.`,
			`admin PUT /os-services/enable {"host": "node1@lvm", "binary": "cinder-volume"} -> 200`,
		},
		"manageable_*.list|sort key": {
			`admin@8 GET /manageable_volumes?host=node1@lvm&sort=name -> 400 Invalid sort keys passed: name`,
			`admin@8 GET /manageable_volumes?host=node1@lvm&sort=size:up -> 400 up`, `admin GET /os-volume-manage?host=node1@lvm&sort_key=created_at -> 400`,
			`admin@8 GET /manageable_volumes?host=node1@lvm&marker=x -> 400 marker x can not be analysed, please use json like format`,
			`admin@8 GET /manageable_volumes?host=node1@lvm&marker={"source-name":"x"} -> 400 marker not found`,
			`admin@8 GET /manageable_volumes?host=node1@lvm&limit=-1 -> 400 limit`, `admin@8 GET /manageable_volumes?host=node2@lvm -> 404 Service cinder-volume could not be found on host node2@lvm.`,
			`member@8 GET /manageable_volumes?host=node1@lvm -> 403 volume_extension:list_manageable`, `member GET /os-snapshot-manage?host=x -> 403 snapshot_extension:list_manageable`,
			`admin@7 GET /manageable_volumes?host=node1@lvm -> 404`,
		},
		"manageable_volumes.create|unknown host": {
			`admin@8 POST /manageable_volumes {"volume": {"host": "x", "ref": "data"}} -> 400 Host 'x' not found`,
			`admin@16 POST /manageable_volumes {"volume": {"cluster": "c", "ref": "data"}} -> 400 Cluster 'c' not found`,
			`admin@16 POST /manageable_volumes {"volume": {"cluster": "c", "host": "x", "ref": "data"}} -> 400 One and only one of cluster and host must be set.`,
			`admin@8 POST /manageable_volumes {"volume": {"ref": "data"}} -> 400 Host field is missing.`,
			`admin@8 POST /manageable_volumes {"volume": {"host": "node1@lvm", "ref": {"source-id": "data"}}} -> 400 Reference must contain source-name element.`,
			`admin@8 POST /manageable_volumes {"volume": {"host": "node1@lvm", "ref": {"source-name": "volume-{free}"}}} -> 400 Unable to manage existing volume. The volume is already managed`,
			`admin@8 POST /manageable_volumes {"volume": {"host": "node1@lvm", "ref": "data", "volume_type": "nope"}} -> 400 Cannot find requested 'nope' volume type`,
			`admin@8 POST /manageable_volumes {"volume": {"host": "node1@lvm", "ref": "data", "availability_zone": "mars"}} -> 400 Availability zone 'mars' is invalid.`,
			`admin@8 POST /manageable_snapshots {"snapshot": {"volume_id": "{missing}", "ref": "kept"}} -> 404 Volume {missing} could not be found.`,
			`admin@8 POST /manageable_snapshots {"snapshot": {"volume_id": "{free}", "ref": null}} -> 400 Reference must contain source-name element.`,
			`admin@8 POST /manageable_snapshots {"snapshot": {"volume_id": "{deleting}", "ref": "kept"}} -> 400 status must be`,
			`member@8 POST /manageable_volumes ` + volume + ` -> 403 volume_extension:volume_manage`, `member@8 POST /manageable_snapshots ` + snapshot + ` -> 403 snapshot_extension:snapshot_manage`,
			`admin@8 POST /manageable_volumes {"volume": {"host": "node1@lvm", "ref": "data", "name": " n ", "bootable": "yes", "metadata": {"a": "b"}}} -> 202 "status":"creating","size":0`,
			`admin@71 POST /manageable_volumes ` + volume + ` -> 202 !"group_id"`,
			`admin POST /os-volume-manage ` + volume + ` -> 202 "bootable":"false"`,
			`admin POST /os-snapshot-manage ` + snapshot + ` -> 202 "status":"creating"`, `admin@8 POST /manageable_snapshots ` + snapshot + ` -> 202`,
		},
	})
	maps.Copy(operations, map[string]operation{
		"manageable_volumes.create":   {"admin", "POST", "/manageable_volumes", volume},
		"os_volume_manage.create":     {"admin", "POST", "/os-volume-manage", volume},
		"manageable_snapshots.create": {"admin", "POST", "/manageable_snapshots", snapshot},
		"os_snapshot_manage.create":   {"admin", "POST", "/os-snapshot-manage", snapshot},
		"volume_actions.unmanage":     {"admin", "POST", "/volumes/{free}/action", `{"os-unmanage": null}`},
		"snapshot_actions.unmanage":   {"admin", "POST", "/snapshots/{snapshot}/action", `{"os-unmanage": null}`},
	})
	const lists, all = "manageable_volumes.list, manageable_snapshots.list|", "pool0 open data"
	maps.Copy(filterScripts, map[string][]string{
		lists + "query|": {
			"admin@8 manageable_volumes?host=node1@lvm = " + all, "admin@8 manageable_volumes?host=node1@lvm%23pool = " + all, "admin@8 manageable_snapshots?host=node1@lvm = kept",
			"admin os-volume-manage/detail?host=node1@lvm = " + all, "admin os-snapshot-manage?host=node1@lvm = kept", "admin os-snapshot-manage/detail?host=node1@lvm = kept",
			"admin@8 manageable_volumes = 400", "admin@17 manageable_volumes?host=a&cluster=b = 400", "admin@17 manageable_volumes?cluster=b = 404", "admin@16 manageable_volumes?host=node1@lvm&cluster=b = " + all,
			"admin@17 manageable_volumes?host=node1 = 404",
		},
		lists + "sort|": {
			"admin@8 manageable_volumes?host=node1@lvm&sort=reference:asc = data open pool0", "admin@8 manageable_volumes?host=node1@lvm&sort=size = pool0 data open",
			"admin@8 manageable_volumes?host=node1@lvm&sort=size:asc,reference:desc = open data pool0", "admin@8 manageable_volumes?host=node1@lvm&sort_dir=asc = data open pool0",
			"admin@8 manageable_volumes?host=node1@lvm&sort_key=size&sort_dir=asc = open data pool0",
			"admin@8 manageable_volumes?host=node1@lvm&limit=1 = pool0", "admin@8 manageable_volumes?host=node1@lvm&limit=0 = ", "admin@8 manageable_volumes?host=node1@lvm&offset=1 = open data",
			"admin@8 manageable_volumes?host=node1@lvm&offset=9 = ", `admin@8 manageable_volumes?host=node1@lvm&marker={"source-name":"open"} = data`,
			`admin@8 manageable_volumes?host=node1@lvm&sort=reference:asc&marker={"source-name":"data"}&limit=1 = open`,
			`admin@8 manageable_volumes?host=node1@lvm&sort=reference:asc&marker={"source-name":"data"}&offset=1 = pool0`,
		},
	})
}

// references names what a list of what could be managed is about.
func (r response) references() string {
	for _, collection := range []string{"manageable-volumes", "manageable-snapshots"} {
		list, is := r.at(collection).([]any)
		if !is {
			continue
		}
		var names []string
		for i := range list {
			names = append(names, r.at(collection, i, "reference", "source-name").(string))
		}
		return strings.Join(names, " ")
	}
	return "(no list)"
}

// Manageable is what lies in the simulated node's pool.
func (n *fakeNode) Manageable(context.Context, string) ([]*rpc.Candidate, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		return nil, n.fail
	}
	return append([]*rpc.Candidate{
		{Kind: rpc.KindVolume, Reference: "data", Bytes: 3 << 29},
		{Kind: rpc.KindVolume, Reference: "pool0", Bytes: 3 << 30, Refusal: "it is a thin pool"},
		{Kind: rpc.KindVolume, Reference: "open", Bytes: 1 << 30, Refusal: "it is in use"},
		{Kind: rpc.KindSnapshot, Reference: "kept", Bytes: 1 << 30, Origin: "data"},
	}, n.more...), nil
}

func (w *world) operatorPlaces() map[string]place {
	get := func(path string, way ...any) place { return place{method: "GET", path: "/v3" + path, way: way} }
	return map[string]place{
		"manageable_volume.summary":   get("/manageable_volumes?host=node1@lvm", "manageable-volumes", 0),
		"manageable_volume.detail":    get("/manageable_volumes/detail?host=node1@lvm", "manageable-volumes", 0),
		"manageable_snapshot.summary": get("/manageable_snapshots?host=node1@lvm", "manageable-snapshots", 0),
		"manageable_snapshot.detail":  get("/manageable_snapshots/detail?host=node1@lvm", "manageable-snapshots", 0),
	}
}

func (w *world) operatorViews() []viewCase {
	get := func(name, path string) viewCase { return viewCase{name, "GET", fixed(path), ""} }
	return []viewCase{
		get("manageable_volumes.list", "/v3/manageable_volumes?host=node1@lvm"),
		get("manageable_volumes.detail", "/v3/manageable_volumes/detail?host=node1@lvm%23pool"),
		get("os_volume_manage.detail", "/v3/os-volume-manage/detail?host=node1@lvm%23pool"),
		get("manageable_snapshots.list", "/v3/manageable_snapshots?host=node1@lvm"),
		get("manageable_snapshots.detail", "/v3/manageable_snapshots/detail?host=node1@lvm"),
		get("capabilities.show", "/v3/capabilities/node1@lvm"),
		get("hosts.list", "/v3/os-hosts"),
		get("hosts.show", "/v3/os-hosts/node1@lvm"),
		get("clusters.list", "/v3/clusters"),
		{"manageable_volumes.create", "POST", fixed("/v3/manageable_volumes"),
			`{"volume": {"host": "node1@lvm", "ref": {"source-name": "data"}, "name": "n", "description": "d", "metadata": {"a": "b"}, "bootable": true}}`},
	}
}

// What is managed is told with its id, and what the node does is said.
func TestManageable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, gone := w.volume("member", ""), uuid.NewString()
	w.node.more = []*rpc.Candidate{
		{Kind: rpc.KindVolume, Reference: "volume-" + v, Bytes: 1 << 30, ID: v},
		{Kind: rpc.KindVolume, Reference: "volume-" + gone, Bytes: 1, ID: gone},
	}
	r := w.do("admin@8", "GET", "/v3/manageable_volumes/detail?host=node1@lvm&sort=reference:asc", "").want(t, 200)
	byName := map[string]map[string]any{}
	for _, m := range r.at("manageable-volumes").([]any) {
		fields := m.(map[string]any)
		byName[fields["reference"].(map[string]any)["source-name"].(string)] = fields
	}
	for name, want := range map[string][]any{
		"volume-" + v: {1.0, false, "already managed", v}, "volume-" + gone: {1.0, true, nil, nil},
		"data": {2.0, true, nil, nil}, "open": {1.0, false, "volume in use", nil}, "pool0": {3.0, false, "it is a thin pool", nil},
	} {
		got := byName[name]
		if got["size"] != want[0] || got["safe_to_manage"] != want[1] || got["reason_not_safe"] != want[2] || got["cinder_id"] != want[3] {
			t.Errorf("%s: %v", name, got)
		}
	}
	w.node.fail = fault.New(fault.Unavailable, "no route to host")
	r = w.do("admin@8", "GET", "/v3/manageable_volumes?host=node1@lvm", "").want(t, 503)
	if r.message() != "The storage node of node1@lvm does not answer at this time." {
		t.Error(r.body)
	}
}

// What is managed counts in the quota, and its row is the job's.
func TestManageVolume(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{db.QuotaVolumes: 1} })
	r := w.do("admin@8", "POST", "/v3/manageable_volumes", `{"volume": {"host": "node1@lvm", "ref": "data"}}`).want(t, 202)
	v, err := w.db.Volume(t.Context(), r.at("volume", "id").(string), "")
	if err != nil || v.Status != "managing" || v.PoolID != nil || *v.Host != "node1@lvm#pool" {
		t.Fatalf("%+v %v", v, err)
	}
	m, ok, err := w.db.ManagedOf(t.Context(), v.ID)
	if err != nil || !ok || m.Reference != "data" || *m.PoolID != w.pool.ID || m.State != db.Managing {
		t.Fatalf("%+v %v", m, err)
	}
	w.do("admin@8", "POST", "/v3/manageable_volumes", `{"volume": {"host": "node1@lvm", "ref": "data"}}`).want(t, 413)
}

// TestOperatorViews is TestViews for what only operators see, in a world of its own.
func TestOperatorViews(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	for _, c := range w.operatorViews() {
		for _, persona := range []string{"admin", "member"} {
			w.checkView(c, persona)
		}
	}
}
