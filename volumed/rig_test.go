package volumed

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"clinker/volumed/backend"
	"clinker/volumed/backend/file"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
	"clinker/volumed/target"
)

const (
	poolName = "file#file"
	size     = int64(1 << 20)
)

// rig is a storage node with a real file backend, and a target that stays
// when the node's process goes.
type rig struct {
	*Server
	t       testing.TB
	path    string // of the journal
	dir     string // of the volumes
	target  *fakeTarget
	storage *fakeStorage
	options Options

	throttle Throttle // nil unless a test wants one
}

func newRig(t testing.TB) *rig {
	return newRigIn(t, t.TempDir())
}

func newRigIn(t testing.TB, dir string) *rig {
	r := &rig{t: t, path: filepath.Join(dir, "journal"), dir: filepath.Join(dir, "volumes"), target: newFakeTarget()}
	r.storage = &fakeStorage{}
	r.start()
	return r
}

func (r *rig) start() {
	storage, err := file.Open(file.Options{Directory: r.dir})
	r.must(err)
	r.storage.Backend = storage
	r.startOn(r.storage, r.target)
}

func (r *rig) startOn(storage backend.Backend, t target.Target) {
	r.startWith(Pool{Backend: "file", Name: "file", Storage: storage, Target: t, IQNPrefix: prefix, Throttle: r.throttle})
}

func (r *rig) startWith(pools ...Pool) {
	j, err := journal.Open(r.path)
	r.must(err)
	o := r.options
	o.Journal, o.DiskIO, o.Pools = j, idle{}, pools
	o.Node = rpc.Node{Host: "node1", Endpoint: "https://127.0.0.1:1", Version: "1"}
	r.Server, err = New(o)
	r.must(err)
	r.t.Cleanup(r.stop)
}

// stop ends the node as a stop does that has no time.
func (r *rig) stop() {
	r.work.stop(0)
	r.must(r.journal.Close())
}

// restart is a node that comes back.
func (r *rig) restart() {
	r.stop()
	r.start()
	r.must(r.restore(r.t.Context()))
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// done demands that an operation succeeded.
func (r *rig) done(o *rpc.Operation, err error) {
	r.t.Helper()
	r.must(err)
	if o.State != rpc.Done {
		r.t.Fatalf("operation is %v: %v", o.State, o.Failure)
	}
}

// fence makes a fence for a new attempt.
func fence(resource string, generation int64) rpc.Fence {
	return rpc.Fence{OperationID: uuid.NewString(), ResourceID: resource, Generation: generation}
}

// volume makes a volume and gives its id.
func (r *rig) volume() string {
	r.t.Helper()
	id := uuid.NewString()
	r.done(r.Create(r.t.Context(), fence(id, 1), poolName, size, false))
	return id
}

// grantOf is an attachment's grant; its password depends on the attachment.
func grantOf(attachment, initiator string) rpc.Grant {
	return rpc.Grant{
		AttachmentID: attachment,
		Initiator:    "iqn.1993-08.org.debian:" + initiator,
		Username:     "user-" + attachment,
		Password:     rpc.Secret("password-" + attachment),
	}
}

// attach grants and logs in.
func (r *rig) attach(volume, attachment, initiator string) *rpc.Connection {
	r.t.Helper()
	c, err := r.Grant(r.t.Context(), fence(attachment, 1), poolName, volume, grantOf(attachment, initiator))
	r.must(err)
	if !r.target.login(c.IQN, "iqn.1993-08.org.debian:"+initiator, c.Username, target.Secret(c.Password)) {
		r.t.Fatal("the login is refused")
	}
	return c
}

func (r *rig) names() []string {
	r.t.Helper()
	all, err := r.Stored(context.Background(), poolName)
	r.must(err)
	names := []string{}
	for _, s := range all {
		names = append(names, s.ID)
	}
	return names
}
