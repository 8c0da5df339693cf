package api

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/internal/keys/keystest"
	"clinker/internal/openstack/identity"
	"clinker/policy"
	"clinker/volumed/rpc"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	flag.Parse()
	if !testing.Verbose() {
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	dbtest.Main(m)
}

const (
	ownProject   = "11111111111111111111111111111111"
	otherProject = "22222222222222222222222222222222"
)

// personas are the tokens that tests may send.
var personas = identity.Authenticator(tokens{
	"admin":   {UserID: "a0000000000000000000000000000000", ProjectID: ownProject, Roles: []string{"admin", "member", "reader"}, IsAdmin: true},
	"member":  {UserID: "b0000000000000000000000000000000", ProjectID: ownProject, Roles: []string{"member", "reader"}},
	"reader":  {UserID: "c0000000000000000000000000000000", ProjectID: ownProject, Roles: []string{"reader"}},
	"other":   {UserID: "d0000000000000000000000000000000", ProjectID: otherProject, Roles: []string{"member", "reader"}},
	"service": {UserID: "e0000000000000000000000000000000", ProjectID: ownProject, Roles: []string{"member", "reader"}, ServiceRoles: []string{"service"}},
})

type tokens map[string]identity.Identity

func (t tokens) Authenticate(_ context.Context, token, _ string) (identity.Identity, error) {
	if id, ok := t[token]; ok {
		return id, nil
	}
	return identity.Identity{}, fault.New(fault.Unauthorized, "no such token")
}

// world is a server on a database of its own, with one storage node that is
// simulated at its Thrift face.
type world struct {
	t      testing.TB
	db     *db.DB
	server *Server
	node   *fakeNode
	pool   db.PoolService
	made   int // things with names
	keys   *keystest.Strict
}

func newWorld(t testing.TB, change ...func(*Options)) *world {
	t.Helper()
	d := dbtest.Open(t)
	rules, _, err := policy.New(policy.Options{EnforceNewDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: d, node: &fakeNode{granted: map[string]rpc.Grant{}}}
	w.keys = keystest.NewStrict()
	o := Options{Images: someImages{}, ForceUpload: true, Keys: w.keys, VerifySignatures: true, DB: d, Identity: personas, Policy: rules, Nodes: w.node, Host: "control", AuthURI: "http://127.0.0.1:5000",
		PublicEndpoint: "http://127.0.0.1:8776", MaxBody: 114688, MaxLimit: 1000, DefaultType: "__DEFAULT__",
		ShownZone: "nova", ServiceDownTime: time.Hour, ProtectServers: true,
		Limits: db.Limits{db.QuotaVolumes: 10, db.QuotaGigabytes: 1000, db.QuotaPerVolumeGigabytes: -1, db.QuotaSnapshots: 10, db.QuotaBackups: 10, db.QuotaBackupGigabytes: 1000, db.QuotaGroups: 10}}
	for _, f := range change {
		f(&o)
	}
	if w.server, err = New(o); err != nil {
		t.Fatal(err)
	}
	w.addPool()
	return w
}

// addPool registers the simulated node and its pool of 1 TiB.
func (w *world) addPool() {
	w.t.Helper()
	id, err := w.db.Heartbeat(w.t.Context(), db.Service{Host: "node1@lvm", Daemon: db.DaemonVolume, AvailabilityZone: "nova", Endpoint: "https://127.0.0.1:1"})
	if err == nil {
		err = w.db.RecordPoll(w.t.Context(), db.Pool{ServiceID: id, Name: "node1@lvm#pool", AvailabilityZone: "nova",
			TotalBytes: 1 << 40, FreeBytes: 1 << 40, MaxOverSubscriptionRatio: 1, StorageProtocol: "iSCSI"})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	pools, err := w.db.Pools(w.t.Context())
	if err != nil || len(pools) != 1 {
		w.t.Fatal(pools, err)
	}
	w.pool = pools[0]
}

// settle does what the scheduler would: volumes being created become available.
func (w *world) settle(id string) {
	w.t.Helper()
	if _, err := w.db.Claim(w.t.Context(), id, w.pool.ID, 1<<30, false); err != nil {
		w.t.Fatal(err)
	}
	err := w.db.Tx(w.t.Context(), func(tx *db.Tx) error {
		_, err := tx.MoveVolume(w.t.Context(), id, db.CreateDone, "", nil)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// volume creates a volume of 1 GiB as a persona and makes it available.
func (w *world) volume(persona string, more string) string {
	w.t.Helper()
	r := w.do(persona, "POST", "/v3/volumes", `{"volume": {"size": 1`+more+`}}`)
	if r.status != http.StatusAccepted {
		w.t.Fatalf("create: %d %s", r.status, r.body)
	}
	id := r.at("volume", "id").(string)
	w.settle(id)
	return id
}

// response is what came back.
type response struct {
	status int
	header http.Header
	body   string
}

// at walks into the JSON body.
func (r response) at(path ...any) any {
	var doc any
	_ = json.Unmarshal([]byte(r.body), &doc)
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := doc.(map[string]any)
			doc = m[s]
		case int:
			list, _ := doc.([]any)
			if s >= len(list) {
				return nil
			}
			doc = list[s]
		}
	}
	return doc
}

// message is the sentence of a fault.
func (r response) message() string {
	var doc map[string]struct{ Message string }
	_ = json.Unmarshal([]byte(r.body), &doc)
	for _, f := range doc {
		return f.Message
	}
	return ""
}

// do sends a request; a persona may carry a microversion: "admin@71".
func (w *world) do(persona, method, path, body string) response {
	w.t.Helper()
	token, version, _ := strings.Cut(persona, "@")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	if version != "" {
		r.Header.Set(versionHeader, "volume 3."+version)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return w.send(r)
}

func (w *world) send(r *http.Request) response {
	recorder := httptest.NewRecorder()
	w.server.ServeHTTP(recorder, r)
	return response{recorder.Code, recorder.Header(), recorder.Body.String()}
}

// want fails the test unless the status is as expected.
func (r response) want(t testing.TB, status int) response {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// fakeNode remembers grants, and fails when it is told to.
type fakeNode struct {
	rpc.Volumed
	mu      sync.Mutex
	granted map[string]rpc.Grant
	fail    error
	more    []*rpc.Candidate // what lies in its pool beside the usual
	level   string           // of its logs
}

func (n *fakeNode) Node(string) rpc.Volumed { return n }

func (n *fakeNode) Grant(_ context.Context, f rpc.Fence, _, volumeID string, g rpc.Grant) (*rpc.Connection, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		return nil, n.fail
	}
	n.granted[f.ResourceID] = g
	return &rpc.Connection{Protocol: "iscsi", Portals: []string{"127.0.0.1:3260"},
		IQN: "iqn.2010-10.org.openstack:volume-" + volumeID, LUN: 0, Username: g.Username, Password: g.Password}, nil
}

func (n *fakeNode) Revoke(_ context.Context, f rpc.Fence, _, _ string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		return n.fail
	}
	delete(n.granted, f.ResourceID)
	return nil
}

func (n *fakeNode) String() string { return fmt.Sprintf("%d grants", len(n.granted)) }
