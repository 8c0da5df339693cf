package scheduler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"

	"clinker/api"
	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/openstack/cloud"
	"clinker/internal/openstack/identity"
	"clinker/internal/openstack/nova"
	"clinker/policy"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

// novaUser is Nova: an administrator who comes with a service token.
type novaUser struct{}

func (novaUser) Authenticate(context.Context, string, string) (identity.Identity, error) {
	return identity.Identity{UserID: "nova", ProjectID: "p", Roles: []string{"admin", "member", "reader"}, IsAdmin: true, ServiceRoles: []string{"service"}}, nil
}

// fakeNova is a compute service with one server that uses one volume. It swaps it
// as Nova does, talking to the block storage API over HTTP.
type fakeNova struct {
	*two
	api        string
	server     string
	attachment string
	steps      func(step string) error // what goes wrong, and where

	mu     sync.Mutex
	asked  int
	refuse int // status with which swaps are refused
	ended  sync.WaitGroup
}

// newNova gives two nodes, an API, and a server that uses the volume on the first. Its
// silence is as long as any: one that is asked again while it begins swaps twice.
func newNova(t *testing.T) *fakeNova { return newSilentNova(t, time.Minute) }

// newSilentNova is newNova whose silence is taken for an end earlier.
func newSilentNova(t *testing.T, silence time.Duration) *fakeNova {
	n := &fakeNova{two: &two{}, server: uuid.NewString(), steps: func(string) error { return nil }}
	compute := httptest.NewServer(n)
	t.Cleanup(compute.Close)
	client := nova.New(nova.Config{Login: cloud.NewLogin(func(context.Context) (*gophercloud.ProviderClient, error) {
		return &gophercloud.ProviderClient{TokenID: "t", EndpointLocator: func(gophercloud.EndpointOpts) (string, error) { return compute.URL + "/v2.1/", nil }}, nil
	})})
	n.two = newTwoWith(t, func(o *scheduler.Options) { o.Jobs.Compute, o.Jobs.SwapSilence = client, silence })
	rules, _, err := policy.New(policy.Options{EnforceNewDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := api.New(api.Options{DB: n.db, Identity: novaUser{}, Policy: rules, Nodes: n.network, Host: "control", MaxBody: 1 << 16, MaxLimit: 1000,
		DefaultType: "__DEFAULT__", ShownZone: "nova", ServiceDownTime: time.Minute, ProtectServers: true, SwapsVolumes: true})
	if err != nil {
		t.Fatal(err)
	}
	cinder := httptest.NewServer(handler)
	t.Cleanup(cinder.Close)
	t.Cleanup(n.ended.Wait)
	n.api = cinder.URL + "/v3"
	if n.attachment, err = n.attach(n.v.ID); err != nil {
		t.Fatal(err)
	}
	return n
}

// call sends a request as Nova and reads a text out of the answer.
func (n *fakeNova) call(method, path, body string, into ...string) (string, error) {
	r, _ := http.NewRequestWithContext(context.Background(), method, n.api+path, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", "t")
	r.Header.Set("OpenStack-API-Version", "volume 3.48")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var text bytes.Buffer
	_, _ = text.ReadFrom(answer.Body)
	if answer.StatusCode >= 300 {
		return "", fmt.Errorf("%s %s: %d %s", method, path, answer.StatusCode, text.String())
	}
	var doc any
	_ = json.Unmarshal(text.Bytes(), &doc)
	for _, key := range into {
		m, _ := doc.(map[string]any)
		doc = m[key]
	}
	found, _ := doc.(string)
	return found, nil
}

func (n *fakeNova) attach(volume string) (string, error) {
	id, err := n.call("POST", "/attachments", fmt.Sprintf(`{"attachment": {"volume_uuid": %q, "instance_uuid": %q}}`, volume, n.server), "attachment", "id")
	if err == nil {
		_, err = n.call("PUT", "/attachments/"+id, `{"attachment": {"connector": {"host": "compute1", "initiator": "iqn.1993-08.org.debian:c1"}}}`)
	}
	if err == nil {
		_, err = n.call("POST", "/attachments/"+id+"/action", `{"os-complete": null}`)
	}
	return id, err
}

// ServeHTTP is PUT /servers/{server}/os-volume_attachments/{volume}.
func (n *fakeNova) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	parts := strings.Split(strings.TrimPrefix(q.URL.Path, "/v2.1/servers/"), "/")
	var in struct {
		VolumeAttachment struct {
			VolumeID string `json:"volumeId"`
		} `json:"volumeAttachment"`
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	switch {
	case n.refuse != 0:
		w.WriteHeader(n.refuse)
	case q.Method != "PUT" || parts[0] != n.server || parts[2] != n.v.ID || json.NewDecoder(q.Body).Decode(&in) != nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.WriteHeader(http.StatusAccepted)
		if n.steps("begin") == nil {
			n.ended.Go(func() { n.swap(in.VolumeAttachment.VolumeID) })
		}
	}
}

// swap is what Nova's API and its compute host do.
func (n *fakeNova) swap(to string) {
	failed := false
	_, err := n.call("POST", "/volumes/"+n.v.ID+"/action", `{"os-begin_detaching": null}`)
	if err != nil {
		n.Error(err)
	}
	attachment, err := n.attach(to)
	if err == nil {
		err = n.steps("copy")
	}
	if err == nil {
		n.b.Write(vg, to, n.a.Volumes()[n.v.ID].Content)
		_, err = n.call("DELETE", "/attachments/"+n.attachment, "")
	}
	if err != nil {
		failed = true
		if _, err := n.call("DELETE", "/attachments/"+attachment, ""); err != nil {
			n.Error(err)
		}
	}
	if err := n.steps("complete"); err != nil {
		return
	}
	saved, err := n.call("POST", "/volumes/"+n.v.ID+"/action",
		fmt.Sprintf(`{"os-migrate_volume_completion": {"new_volume": %q, "error": %v}}`, to, failed), "save_volume_id")
	if err != nil || saved != n.v.ID {
		n.Errorf("completed as %q: %v", saved, err)
	}
	if failed {
		_, _ = n.call("POST", "/volumes/"+n.v.ID+"/action", `{"os-roll_detaching": null}`)
	} else {
		n.attachment = attachment
	}
}

// only checks that a volume's old copy and all that was made for it are gone.
func (n *fakeNova) only() {
	n.Helper()
	n.eventually("one volume", func() bool {
		n.sweep()
		left, err := n.db.Volumes(n.Context(), db.Query{Limit: 10, Sort: []db.Sort{{Key: "created_at"}}})
		return err == nil && len(left) == 1 && len(n.a.Volumes())+len(n.b.Volumes()) == 1
	})
	n.trueCounters()
}

func TestSwap(t *testing.T) {
	n := newNova(t)
	before := n.read(n.v.ID)
	n.migrate(onB, false)
	v := n.ends("success")
	n.ended.Wait()
	n.only()
	v = n.read(v.ID)
	if v.Status != "in-use" || *v.Host != onB || v.NameID == nil || v.Held || v.CreatedAt != before.CreatedAt || v.SizeGiB != before.SizeGiB {
		t.Errorf("%+v", v)
	}
	if got := n.b.Volumes()[*v.NameID].Content; got != "what is on it" {
		t.Errorf("it holds %q", got)
	}
	attached, _ := n.db.AttachmentsOf(t.Context(), v.ID)
	if a := attached[v.ID]; len(a) != 1 || a[0].ID != n.attachment || len(n.b.Exported()) != 1 || len(n.a.Exported()) != 0 {
		t.Errorf("attachments %+v", a)
	}
	// All that is done to the volume later reaches it under the name it has now.
	n.extend(v.ID, 3)
	n.eventually("longer", func() bool { return n.read(v.ID).SizeGiB == 3 })
	if got := n.b.Volumes()[*v.NameID].Bytes; got != 3*gib {
		t.Errorf("%d bytes", got)
	}
	if _, err := n.call("DELETE", "/attachments/"+n.attachment, ""); err != nil || len(n.b.Exported()) != 0 {
		t.Error(err)
	}
	snap := n.snapshotRests(n.take(v.ID), "available")
	if n.b.Snapshots()[snap.ID].Of != *v.NameID {
		t.Errorf("a snapshot of %s", n.b.Snapshots()[snap.ID].Of)
	}
	copied := n.rests(n.request(3, func(c *db.Volume, _ *db.VolumeCreateArgs) { c.SourceVolid = &v.ID }).ID, "available")
	if n.b.Volumes()[copied.ID].Content != "what is on it" {
		t.Error("a copy of it holds something else")
	}
	n.dropSnapshot(snap.ID)
	n.snapshotRests(snap.ID, "deleted")
	n.delete(copied.ID)
	n.rests(copied.ID, "deleted")
	// And back, free now.
	n.migrate(onA, true)
	n.eventually("back", func() bool { v = n.read(v.ID); return *v.Host == onA && v.Status == "available" })
	n.only()
	if got := n.a.Volumes()[v.StorageID()].Content; got != "what is on it" {
		t.Errorf("it holds %q", got)
	}
	n.delete(v.ID)
	n.rests(v.ID, "deleted")
	n.eventually("nothing is left", func() bool { n.sweep(); return len(n.a.Volumes())+len(n.b.Volumes()) == 0 })
}

// TestSwapFails: whatever Nova does, the volume stays in use where it is.
func TestSwapFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hurt    func(*fakeNova)
		told    string
		silence time.Duration
	}{
		"the copy fails":  {func(n *fakeNova) { n.steps = failing("copy") }, "", time.Minute},
		"Nova refuses":    {func(n *fakeNova) { n.refuse = 400 }, "answered with status 400", time.Minute},
		"Nova is lost":    {func(n *fakeNova) { n.steps = failing("begin") }, "has begun nothing", 200 * time.Millisecond},
		"no server there": {func(n *fakeNova) { n.server = uuid.NewString() }, "answered with status 404", time.Minute},
		"no room": {func(n *fakeNova) {
			n.b.Break(nodetest.Fault{Method: "create", Err: fault.New(fault.NoSpace, "it is full")})
		}, "it is full", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			n := newSilentNova(t, c.silence)
			c.hurt(n)
			n.migrate(onB, false)
			v := n.ends("error")
			n.ended.Wait()
			n.only()
			if v = n.read(v.ID); v.Status != "in-use" || *v.Host != onA || v.NameID != nil || v.Held {
				t.Errorf("%+v", v)
			}
			if m := n.messages(); c.told != "" && (len(m) != 1 || !strings.Contains(m[0].UserMessage(), c.told)) {
				t.Errorf("told %+v", m)
			}
		})
	}
}

func failing(where string) func(string) error {
	return func(step string) error {
		if step == where {
			return fault.New(fault.Internal, "it failed")
		}
		return nil
	}
}

// TestRetypeSwaps: a volume in use gets its type with its new pool.
func TestRetypeSwaps(t *testing.T) {
	n := newNova(t)
	n.b.Change(vg, func(p *rpc.Pool) { p.Capabilities = map[string]string{"volume_backend_name": "fast"} })
	polls := n.b.Calls("stats")
	n.eventually("poll", func() bool { return n.b.Calls("stats") > polls+1 })
	fast := n.kind("fast", db.StringMap{"volume_backend_name": "fast"})
	n.retype(n.v.ID, fast, db.MigrateOnDemand)
	v := n.ends("success")
	n.ended.Wait()
	n.only()
	if v = n.read(v.ID); v.Status != "in-use" || *v.Host != onB || v.VolumeType != "fast" {
		t.Errorf("%+v", v)
	}
}

// TestSwapOutlives: the scheduler goes after it has asked, with its jobs.
func TestSwapOutlives(t *testing.T) {
	n := newNova(t)
	copying, gate := make(chan struct{}), make(chan struct{})
	n.steps = func(step string) error {
		if step == "copy" {
			close(copying)
			<-gate
		}
		return nil
	}
	n.migrate(onB, false)
	<-copying // an attachment on its way would be taken for one that was left
	n.stop()
	n.lose()
	n.sweep()
	n.start()
	close(gate)
	n.ends("success")
	n.ended.Wait()
	n.only()
}
