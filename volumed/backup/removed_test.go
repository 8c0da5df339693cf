package backup_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/backup"
)

// elsewhere is another node with the same store.
func (r *rig) elsewhere() *backup.Store {
	return backup.New(backup.Options{Driver: r.driver.Driver, Location: "posix:" + r.dir, Compress: true})
}

// TestRemovedWhileMade: a node that is making a backup does not hear that another
// one has taken it away. Whenever that was, nothing of it is left.
func TestRemovedWhileMade(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"/data/", "/manifest/"} {
		r := newRig(t, 8*quarter)
		r.write(0, noise(int(8*quarter), 1))
		full := r.backUp(nil)
		r.write(quarter, noise(100, 2))
		request, other := r.request(&full.Place), r.elsewhere()
		var once sync.Once
		r.driver.failing(func(method, key string) error {
			if method == "put" && strings.Contains(key, at) {
				once.Do(func() { r.must(other.Remove(t.Context(), request.Place)) })
			}
			return nil
		})
		if _, err := r.store.Create(t.Context(), request); !fault.Is(err, fault.Stale) {
			t.Errorf("removed before the first of %s: %v", at, err)
		}
		if left := r.objects(request.Place); len(left) > 0 {
			t.Errorf("removed before the first of %s: left %v", at, left)
		}
		if _, err := other.Manifest(t.Context(), request.Place); !fault.Is(err, fault.NotFound) {
			t.Errorf("removed before the first of %s: its manifest: %v", at, err)
		}
		r.must(other.Verify(t.Context(), full.Place, func(int64) {}))
	}
}

// TestRemovedAndKilled: what a node went on to store, and was killed then, goes when
// the mark of the removal is old.
func TestRemovedAndKilled(t *testing.T) {
	t.Parallel()
	r := newRig(t, 8*quarter)
	r.write(0, noise(int(8*quarter), 1))
	r.backUp(nil)
	late, now := r.request(nil).Place, time.Now()
	store := backup.New(backup.Options{Driver: r.driver.Driver, Location: "posix:" + r.dir, Now: func() time.Time { return now }})
	r.must(store.Remove(t.Context(), late))
	back := r.backUp(nil) // gone, asked to go again, and then restored to the store from elsewhere
	kept := map[string][]byte{}
	for _, path := range append(r.objects(back.Place), filepath.Join(r.dir, back.Container, "manifest", back.ID)) {
		data, err := os.ReadFile(path)
		r.must(err)
		kept[path] = data
	}
	for range 2 {
		r.must(store.Remove(t.Context(), back.Place))
	}
	for path, data := range kept {
		r.must(os.MkdirAll(filepath.Dir(path), 0o700))
		r.must(os.WriteFile(path, data, 0o600))
	}
	orphan := filepath.Join(r.dir, late.Container, "data", late.ID, strings.Repeat("0a", 32))
	r.must(os.MkdirAll(filepath.Dir(orphan), 0o700))
	r.must(os.WriteFile(orphan, []byte("late"), 0o600))
	for _, step := range []struct {
		age  time.Duration
		left int
	}{{time.Hour, 1}, {72 * time.Hour, 0}} {
		now = now.Add(step.age)
		r.must(store.Remove(t.Context(), r.request(nil).Place))
		if left := r.objects(late); len(left) != step.left {
			t.Errorf("after %v: left %v", step.age, left)
		}
	}
	r.must(store.Verify(t.Context(), back.Place, func(int64) {}))
	marks, err := os.ReadDir(filepath.Join(r.dir, ".clinker", "removed"))
	if err != nil || len(marks) != 1 {
		t.Errorf("marks: %v %v, want that of the last removal", marks, err)
	}
}

// order records what a store is asked to do.
type order struct {
	backup.Driver
	mu    sync.Mutex
	calls []string
}

func (o *order) note(call string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, call)
}

func (o *order) Delete(ctx context.Context, keys []string) error {
	o.note("delete")
	return o.Driver.Delete(ctx, keys)
}

func (o *order) Flush(ctx context.Context, folder string) error {
	o.note("flush " + folder)
	return o.Driver.Flush(ctx, folder)
}

// TestDurable: who is told that a backup is gone, or that it is there already, is told
// so of a store that a power cut does not change.
func TestDurable(t *testing.T) {
	t.Parallel()
	r := newRig(t, 8*quarter)
	r.write(0, noise(int(8*quarter), 1))
	request := r.request(nil)
	_, err := r.store.Create(t.Context(), request)
	r.must(err)
	o := &order{Driver: r.driver}
	s := backup.New(backup.Options{Driver: o, Location: "posix:" + r.dir})
	if _, err := s.Create(t.Context(), request); err != nil || !slices.Contains(o.calls, "flush "+request.Place.Container+"/manifest") {
		t.Errorf("a backup that is there: %v, %v", o.calls, err)
	}
	o.calls = nil
	r.must(s.Remove(t.Context(), request.Place))
	if last := o.calls[len(o.calls)-1]; last != "flush "+request.Place.Container+"/data/"+request.Place.ID {
		t.Errorf("a backup that goes: %v", o.calls)
	}
}
