package backup_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clinker/internal/fault"
)

// TestDirectoryIsReplaced: a store whose directory goes away while it is used, or has
// another one in its place, is not there, whatever it was asked for; when it has come
// back, from a copy, it is used again, and nothing else ever was.
func TestDirectoryIsReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t, 8*quarter)
	r.write(0, noise(int(8*quarter), 1))
	full, away, store := r.backUp(nil), r.dir+"-away", r.elsewhere()
	r.must(store.Open(t.Context()))
	other := newRig(t, 8*quarter)
	other.write(0, noise(100, 2))
	other.backUp(nil)
	r.must(os.CopyFS(away, os.DirFS(r.dir)))
	for _, there := range []struct {
		put  func()
		says string
	}{
		{func() {}, "not there any more"},
		{func() { r.must(os.Mkdir(r.dir, 0o700)) }, "no backup store where there was one"},
		{func() { r.must(os.CopyFS(r.dir, os.DirFS(other.dir))) }, "another than before"},
	} {
		r.must(os.RemoveAll(r.dir))
		there.put()
		before := len(r.files())
		_, made := store.Create(t.Context(), r.request(nil))
		for what, err := range map[string]error{
			"create": made, "verify": store.Verify(t.Context(), full.Place, func(int64) {}), "remove": store.Remove(t.Context(), full.Place),
		} {
			if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.MessageOf(err), there.says) {
				t.Errorf("%s: %v; want that it is %s", what, err, there.says)
			}
		}
		if after := len(r.files()); after != before {
			t.Errorf("what is %s has %d files after %d", there.says, after, before)
		}
	}
	r.must(os.RemoveAll(r.dir))
	r.must(os.CopyFS(r.dir, os.DirFS(away)))
	r.must(store.Verify(t.Context(), full.Place, func(int64) {}))
	more, err := store.Create(t.Context(), r.request(&full.Place))
	r.must(err)
	r.must(r.elsewhere().Verify(t.Context(), more.Place, func(int64) {}))
}

// files are all in the store's directory.
func (r *rig) files() (all []string) {
	_ = filepath.WalkDir(r.dir, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	return all
}

// TestRemoveFromAFullStore: what an interrupted backup left can be taken out of a store
// that has no room for anything else.
func TestRemoveFromAFullStore(t *testing.T) {
	t.Parallel()
	r := newRig(t, 8*quarter)
	r.write(0, noise(int(8*quarter), 1))
	full := fault.New(fault.NoSpace, "the backup store is full")
	request := r.request(nil)
	r.driver.failing(func(method, key string) error {
		if method == "put" && (strings.Contains(key, "/manifest/") || strings.Contains(key, "removed") && len(r.objects(request.Place)) > 0) {
			return full
		}
		return nil
	})
	if _, err := r.store.Create(t.Context(), request); !fault.Is(err, fault.NoSpace) || len(r.objects(request.Place)) == 0 {
		t.Fatalf("%v, %v", err, r.objects(request.Place))
	}
	r.must(r.store.Remove(t.Context(), request.Place))
	if left := r.objects(request.Place); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	r.driver.failing(nil)
	if _, err := r.store.Create(t.Context(), request); !fault.Is(err, fault.Stale) {
		t.Errorf("whoever makes it does not hear that it was taken away: %v", err)
	}
}
