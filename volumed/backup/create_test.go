package backup_test

import (
	"bytes"
	"context"
	"os"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"clinker/internal/fault"
	"clinker/volumed/backup"
)

// quarter of a chunk.
const quarter = 16 << 10

// TestChain: whatever is written between backups, each restores to what the volume
// was then; also when the volume has grown.
func TestChain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, int64(rapid.IntRange(1, 1500).Draw(rt, "sectors"))*512)
		r.driver.Driver = &memory{objects: map[string][]byte{}}
		type made struct {
			place backup.Place
			bytes []byte
		}
		var all []made
		var parent *backup.Place
		for range rapid.IntRange(1, 4).Draw(rt, "backups") {
			for range rapid.IntRange(0, 3).Draw(rt, "writes") {
				at := rapid.Int64Range(0, r.size()-1).Draw(rt, "at")
				n := int(min(r.size()-at, int64(rapid.IntRange(1, 300<<10).Draw(rt, "bytes"))))
				data := make([]byte, n)
				if seed := rapid.IntRange(0, 3).Draw(rt, "seed"); seed > 0 {
					data = noise(n, uint64(seed))
				}
				r.write(at, data)
			}
			if rapid.Bool().Draw(rt, "grows") {
				r.must(os.Truncate(r.volume, r.size()+512*int64(rapid.IntRange(1, 400).Draw(rt, "sectors more"))))
			}
			m := r.backUp(parent)
			all = append(all, made{m.Place, r.content()})
			parent = &m.Place
		}
		for _, m := range all {
			got, err := r.restore(m.place, int64(len(m.bytes)), rapid.Bool().Draw(rt, "blank"))
			if err != nil || !bytes.Equal(got, m.bytes) {
				rt.Fatalf("other bytes, or %v", err)
			}
		}
	})
}

// TestOnlyWhatIsNew is stored: not zeroes, not the same twice, not what the parent
// has, and nothing of a backup that is there already.
func TestOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	r := newRig(t, 64*quarter)
	same := noise(4*quarter, 1)
	for _, at := range []int64{0, 8 * quarter, 16 * quarter} {
		r.write(at, same)
	}
	r.write(32*quarter, noise(4*quarter, 2))
	full := r.backUp(nil)
	if full.Objects != 3 || len(full.Needs) != 0 { // two chunks and the table
		t.Errorf("%+v", full)
	}
	r.write(32*quarter, noise(100, 3))
	puts := r.driver.puts.Load()
	more := r.backUp(&full.Place)
	if more.Objects != 2 || r.driver.puts.Load()-puts != 3 || len(more.Needs) != 1 || more.Needs[0] != full.Place || *more.Parent != full.Place {
		t.Errorf("%+v", more)
	}
	// All is written anew: the parent is not needed, and its parent even less.
	r.write(0, noise(64*quarter, 4))
	last := r.backUp(&more.Place)
	if len(last.Needs) != 0 || last.Parent == nil {
		t.Errorf("needs %v", last.Needs)
	}
	puts = r.driver.puts.Load()
	again := r.request(nil)
	again.Place = full.Place
	if m, err := r.store.Create(t.Context(), again); err != nil || m.Objects != full.Objects || r.driver.puts.Load() != puts {
		t.Errorf("again: %+v %v", m, err)
	}
	again.VolumeID = full.ID
	if _, err := r.store.Create(t.Context(), again); !fault.Is(err, fault.Conflict) {
		t.Errorf("another volume under the same id: %v", err)
	}
}

// TestHolesAreNotRead: a volume of 64 GiB with little in it is backed up at once.
func TestHolesAreNotRead(t *testing.T) {
	t.Parallel()
	r := newRig(t, 64<<30)
	r.write(48<<30, []byte("little"))
	request := r.request(nil)
	var done atomic.Int64
	request.Progress = done.Store
	m, err := r.store.Create(t.Context(), request)
	if err != nil || m.Objects != 2 || done.Load() != 64<<30 {
		t.Errorf("%+v %v %d", m, err, done.Load())
	}
}

// TestResume: what an interrupted attempt stored is used if it is still true, and
// goes if it is not. Until the attempt that succeeds there is no backup.
func TestResume(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t, 40*quarter), t.Context()
	for i := range int64(10) {
		r.write(i*4*quarter, noise(quarter, uint64(i)))
	}
	earlier := r.backUp(nil)
	was := r.content()
	r.write(0, noise(40*quarter, 77))
	request := r.request(nil)
	var stored atomic.Int64
	r.driver.failing(func(method, _ string) error {
		if method == "put" && stored.Add(1) > 5 {
			return errBroken
		}
		return nil
	})
	if _, err := r.store.Create(ctx, request); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("got %v", err)
	}
	r.driver.failing(nil)
	if _, err := r.store.Manifest(ctx, request.Place); !fault.Is(err, fault.NotFound) {
		t.Errorf("half a backup: %v", err)
	}
	r.holds(earlier.Place, was)
	r.write(0, noise(8*quarter, 78)) // two chunks of the attempt may be untrue now
	left := r.objects(request.Place)
	r.must(os.WriteFile(left[0], []byte("what a power cut made of it"), 0o600))
	puts := r.driver.puts.Load()
	m, err := r.store.Create(ctx, request)
	if err != nil || r.driver.puts.Load()-puts > 1+2+5+1+1 {
		t.Errorf("%v, %d objects stored", err, r.driver.puts.Load()-puts)
	}
	if left := r.objects(m.Place); len(left) != m.Objects || m.Objects != 11 {
		t.Errorf("%d objects, %d in the store", m.Objects, len(left))
	}
	r.holds(m.Place, r.content())
}

// TestRemove leaves others as they are.
func TestRemove(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t, 8*quarter), t.Context()
	r.write(0, noise(8*quarter, 1))
	one, two := r.backUp(nil), r.backUp(nil)
	for range 2 {
		r.must(r.store.Remove(ctx, one.Place))
	}
	if len(r.objects(one.Place)) != 0 {
		t.Error("objects are left")
	}
	if _, err := r.store.Manifest(ctx, one.Place); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	for _, container := range []string{"/etc", "..", "a/b", ""} { // a backup into it has failed
		r.must(r.store.Remove(ctx, backup.Place{ID: two.ID, Container: container}))
	}
	r.holds(two.Place, r.content())
}

// TestChanges: only what the backend says has changed is read.
func TestChanges(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t, 64*quarter), t.Context()
	r.write(0, noise(64*quarter, 1))
	var asked []string
	changes := func(stretches ...backup.Extent) func(context.Context, string) ([]backup.Extent, error) {
		return func(_ context.Context, since string) ([]backup.Extent, error) {
			asked = append(asked, since)
			return stretches, nil
		}
	}
	request := r.request(nil)
	request.Basis, request.Changes = "snapshot-1", changes(backup.Extent{Start: 0, Bytes: 64 * quarter})
	full, err := r.store.Create(ctx, request)
	r.must(err)
	r.write(20*quarter, noise(quarter, 2))
	r.write(40*quarter, noise(quarter, 3)) // which the backend does not tell, and is therefore not seen
	want := r.content()
	copy(want[40*quarter:], noise(64*quarter, 1)[40*quarter:41*quarter])
	request = r.request(&full.Place)
	request.Basis, request.Changes = "snapshot-2", changes(backup.Extent{Start: 20*quarter + 4096, Bytes: 4096}, backup.Extent{Start: 21 * quarter, Bytes: 512})
	more, err := r.store.Create(ctx, request)
	r.must(err)
	if len(asked) != 2 || asked[0] != "" || asked[1] != "snapshot-1" || more.Basis != "snapshot-2" || more.Objects != 2 {
		t.Errorf("asked since %q; %+v", asked, more)
	}
	r.holds(more.Place, want)

	// One that is longer than its parent, and one whose parent cannot be compared with.
	r.must(os.Truncate(r.volume, 70*quarter))
	r.write(66*quarter, []byte("grown"))
	request = r.request(&more.Place)
	request.Changes = changes(backup.Extent{Start: 66 * quarter, Bytes: 4096})
	grown, err := r.store.Create(ctx, request)
	r.must(err)
	r.holds(grown.Place, append(bytes.Clone(want), r.content()[64*quarter:]...))
	request = r.request(&more.Place)
	request.Changes = func(_ context.Context, since string) ([]backup.Extent, error) {
		if since != "" {
			return nil, fault.New(fault.NotFound, "that snapshot is gone")
		}
		return nil, fault.New(fault.Unsupported, "nothing is known")
	}
	compared, err := r.store.Create(ctx, request)
	r.must(err)
	r.holds(compared.Place, r.content())
}

func TestRefused(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t, 8*quarter), t.Context()
	r.write(0, noise(8*quarter, 1))
	full := r.backUp(nil)
	for name, change := range map[string]func(*backup.Request){
		"no such parent":      func(q *backup.Request) { q.Parent = &backup.Place{ID: r.id, Container: "tests"} },
		"a parent of another": func(q *backup.Request) { q.Parent, q.VolumeID = &full.Place, full.ID },
		"its own parent":      func(q *backup.Request) { q.Parent = &q.Place },
		"a bad container":     func(q *backup.Request) { q.Place.Container = "../x" },
		"a bad id":            func(q *backup.Request) { q.Place.ID = "x" },
		"no bytes":            func(q *backup.Request) { q.Bytes = 0 },
		"more than there is":  func(q *backup.Request) { q.Bytes = 16 * quarter },
	} {
		request := r.request(nil)
		change(&request)
		_, err := r.store.Create(ctx, request)
		if want := map[bool]fault.Code{true: fault.NotFound, false: fault.Invalid}[name == "no such parent"]; !fault.Is(err, want) || fault.MessageOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.restore(full.Place, 4*quarter, true); !fault.Is(err, fault.Invalid) {
		t.Errorf("onto a smaller volume: %v", err)
	}
	for _, blank := range []bool{true, false} {
		got, err := r.restore(full.Place, 11*quarter+512, blank)
		if err != nil || !bytes.Equal(got, append(r.content(), make([]byte, 3*quarter+512)...)) {
			t.Errorf("onto a larger volume: %v", err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.store.Create(ended, r.request(nil)); !fault.Is(err, fault.Timeout) {
		t.Errorf("cancelled: %v", err)
	}
}
