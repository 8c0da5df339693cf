package volumed

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
	"clinker/volumed/target"
)

// inUse is more than the journal of so few volumes fills; bbolt makes the file
// longer than it needs.
const inUse = 1 << 20

var errKilled = errors.New("the process is gone")

// fuse kills the node at one of the steps that reach the outside: before the
// step's effect or right after it. From then on nothing has an effect.
type fuse struct {
	mu    sync.Mutex
	left  int // steps until it blows; negative: not armed
	after bool
	blown bool
}

func (f *fuse) arm(steps int, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.after = steps, after
}

func (f *fuse) isBlown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.blown
}

func (f *fuse) step(effect func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.blown {
		return errKilled
	}
	f.left--
	if f.left != -1 {
		return effect()
	}
	f.blown = true
	if f.after {
		_ = effect() // nobody lives to see how it went
	}
	return errKilled
}

// fusedStorage and fusedTarget run every step over a fuse.
type fusedStorage struct {
	backend.Backend
	fuse *fuse
}

func (s fusedStorage) Create(ctx context.Context, name string, size int64) error {
	return s.fuse.step(func() error { return s.Backend.Create(ctx, name, size) })
}

func (s fusedStorage) Extend(ctx context.Context, name string, size int64) error {
	return s.fuse.step(func() error { return s.Backend.Extend(ctx, name, size) })
}

func (s fusedStorage) Delete(ctx context.Context, name string) error {
	return s.fuse.step(func() error { return s.Backend.Delete(ctx, name) })
}

func (s fusedStorage) Clone(ctx context.Context, source, name string, size int64, progress func(int64)) error {
	return s.fuse.step(func() error { return s.Backend.Clone(ctx, source, name, size, progress) })
}

func (s fusedStorage) Device(ctx context.Context, name string) (path string, err error) {
	err = s.fuse.step(func() (err error) { path, err = s.Backend.Device(ctx, name); return err })
	return path, err
}

type fusedTarget struct {
	*fakeTarget
	fuse *fuse
}

func (t fusedTarget) Apply(ctx context.Context, e target.Export) (at target.Address, err error) {
	err = t.fuse.step(func() (err error) { at, err = t.fakeTarget.Apply(ctx, e); return err })
	return at, err
}

func (t fusedTarget) Remove(ctx context.Context, iqn string) error {
	return t.fuse.step(func() error { return t.fakeTarget.Remove(ctx, iqn) })
}

// promise is the control plane's view: what users were told.
type promise struct {
	size       map[string]int64             // volumes that exist
	generation map[string]int64             // of every resource
	grants     map[string]map[string]string // volume → attachment → host
	of         map[string]string            // attachment → volume
	past       []func() error               // every call ever made, to be made again late
}

// world is a node under a control plane that repeats what was interrupted.
type world struct {
	*rig
	rt   *rapid.T
	fuse *fuse
	promise
}

func (w *world) begin() {
	w.fuse = &fuse{left: -1}
	w.startOn(fusedStorage{w.storage.Backend, w.fuse}, fusedTarget{w.target, w.fuse})
}

// survive makes a call until it has been answered, restarting the node as
// often as it is killed. A kill may lose what the journal had not yet written.
func (w *world) survive(call func() error) error {
	w.rt.Helper()
	w.past = append(w.past, call)
	w.fuse.arm(rapid.IntRange(-1, 4).Draw(w.rt, "steps to live"), rapid.Bool().Draw(w.rt, "after"))
	for {
		err := call()
		if !w.fuse.isBlown() {
			w.fuse.arm(-1, false)
			return err
		}
		w.revive(rapid.Bool().Draw(w.rt, "loses what was not written"))
	}
}

func (w *world) revive(loses bool) {
	w.work.stop(0)
	if loses {
		w.must(os.Rename(w.copyJournal(), w.path)) // the old one goes on writing to what has no name
	}
	w.must(w.journal.Close())
	w.begin()
	w.must(w.restore(context.Background()))
}

// copyJournal copies the pages in use, as a disk has them at that instant.
func (w *world) copyJournal() string {
	from, err := os.Open(w.path)
	w.must(err)
	defer from.Close()
	to, err := os.Create(w.path + ".cut")
	w.must(err)
	defer to.Close()
	_, err = io.CopyN(to, from, inUse)
	if !errors.Is(err, io.EOF) {
		w.must(err)
	}
	return to.Name()
}

// ended makes a call that gives one an error of how it ended.
func ended(o *rpc.Operation, err error) error {
	if err == nil && o.Failure != nil {
		return o.Failure
	}
	return err
}

func (w *world) next(resource string) int64 {
	w.generation[resource]++
	return w.generation[resource]
}

// TestKilledAnywhere: a node is killed at any step of any call, restarted, and
// the call repeated; calls of the past come late. In the end storage, journal
// and target hold what was promised, and nothing else.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		// In memory: a kill loses nothing that was written, and it is the
		// order of the steps that is tested, some ten thousand of them.
		dir, err := os.MkdirTemp("/dev/shm", "clinker-node-")
		if err != nil {
			dir = t.TempDir()
		}
		defer os.RemoveAll(dir)
		w := &world{rig: newRigIn(t, dir), rt: rt, promise: promise{
			size: map[string]int64{}, generation: map[string]int64{},
			grants: map[string]map[string]string{}, of: map[string]string{},
		}}
		w.rig.stop()
		w.begin()
		defer w.rig.stop()
		ok := func(err error) {
			if err != nil {
				rt.Fatalf("%s: %v", fault.CodeOf(err), err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(rt *rapid.T) {
				id := uuid.NewString()
				g := w.next(id)
				ok(w.survive(func() error { return ended(w.Create(ctx, fence(id, g), poolName, size, false)) }))
				w.size[id] = size
			},
			"copy": func(rt *rapid.T) {
				source, id := w.any(rt), uuid.NewString()
				g, bytes := w.next(id), w.size[source]
				ok(w.survive(func() error {
					return ended(w.CopyFrom(ctx, fence(id, g), poolName, rpc.Source{Kind: rpc.KindVolume, ID: source}, bytes))
				}))
				w.size[id] = bytes
			},
			"extend": func(rt *rapid.T) {
				id := w.any(rt)
				g, bytes := w.next(id), w.size[id]+size
				ok(w.survive(func() error { return ended(w.Extend(ctx, fence(id, g), poolName, bytes)) }))
				w.size[id] = bytes
			},
			"destroy": func(rt *rapid.T) {
				id := w.any(rt)
				g := w.next(id)
				err := w.survive(func() error { return ended(w.Destroy(ctx, fence(id, g), poolName)) })
				if len(w.grants[id]) > 0 {
					if !fault.Is(err, fault.Busy) {
						rt.Fatalf("an exported volume: %v", err)
					}
					// The status goes back, and with it the node's fence:
					// a late destroy must not find the volume detached.
					g := w.next(id)
					ok(w.survive(func() error { return ended(w.Extend(ctx, fence(id, g), poolName, w.size[id])) }))
					return
				}
				ok(err)
				delete(w.size, id)
			},
			"grant": func(rt *rapid.T) {
				id, a := w.any(rt), uuid.NewString()
				g, host := w.next(a), rapid.SampledFrom([]string{"host1", "host2"}).Draw(rt, "host")
				ok(w.survive(func() error {
					_, err := w.Grant(ctx, fence(a, g), poolName, id, grantOf(a, host))
					return err
				}))
				w.promised(id, a, host)
				w.login(id, host)
			},
			"revoke": func(rt *rapid.T) {
				id := w.any(rt)
				if len(w.grants[id]) == 0 {
					rt.Skip()
				}
				a := rapid.SampledFrom(sortedKeys(w.grants[id])).Draw(rt, "attachment")
				g, host := w.next(a), w.grants[id][a]
				ok(w.survive(func() error { return w.Revoke(ctx, fence(a, g), poolName, id) }))
				delete(w.grants[id], a)
				if !slices.Contains(values(w.grants[id]), host) && w.target.session(prefix+"volume-"+id, initiator(host)) {
					rt.Fatal("a session outlives its revoke")
				}
			},
			"a late call": func(rt *rapid.T) {
				if len(w.past) == 0 {
					rt.Skip()
				}
				_ = rapid.SampledFrom(w.past).Draw(rt, "call")() // refused, or what is so already
			},
			"a restart": func(*rapid.T) { w.revive(false) },
			"the target forgets": func(*rapid.T) {
				w.target.lose()
				ok(w.checkPool(ctx, poolName, w.pools[poolName]))
			},
			"": w.compare,
		})
	})
}

func (w *world) promised(id, attachment, host string) {
	if w.grants[id] == nil {
		w.grants[id] = map[string]string{}
	}
	w.grants[id][attachment] = host
}

// login is with the credentials in force, as any attachment was told them.
func (w *world) login(id, host string) {
	e, _, err := w.journal.Export(id)
	w.must(err)
	for _, g := range e.Grants {
		if g.Initiator == initiator(host) && w.target.login(prefix+"volume-"+id, g.Initiator, g.Username, g.Password) {
			return
		}
	}
	w.rt.Fatalf("%s cannot log in to %s", host, id)
}

func (w *world) any(rt *rapid.T) string {
	if len(w.size) == 0 {
		rt.Skip()
	}
	return rapid.SampledFrom(sortedKeys(w.size)).Draw(rt, "volume")
}

func (w *world) compare(rt *rapid.T) {
	list, err := w.storage.Backend.List(context.Background())
	w.must(err)
	if len(list) != len(w.size) {
		rt.Fatalf("stored: %v, promised: %v", list, w.size)
	}
	for _, e := range list {
		if id, _ := backend.VolumeID(e.Name); w.size[id] != e.Bytes {
			rt.Fatalf("%s has %d bytes, promised were %d", e.Name, e.Bytes, w.size[id])
		}
	}
	all, err := w.Exports(context.Background(), poolName)
	w.must(err)
	grants := 0
	for _, of := range w.grants {
		grants += len(of)
	}
	if len(all) != grants {
		rt.Fatalf("exports: %v, promised: %v", all, w.grants)
	}
	exported := map[string]bool{}
	for _, e := range all {
		exported[prefix+"volume-"+e.VolumeID] = true
		if host := w.grants[e.VolumeID][e.AttachmentID]; !e.Present || initiator(host) != e.Initiator {
			rt.Fatalf("export %+v, promised to %s", e, host)
		}
	}
	if len(w.target.exports) != len(exported) {
		rt.Fatalf("the target has %v, the journal %v", w.target.exports, exported)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := []string{}
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func values[K comparable, V any](m map[K]V) []V {
	var all []V
	for _, v := range m {
		all = append(all, v)
	}
	return all
}
