package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

func open(t testing.TB, path string) *Journal {
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func fine(Export) error { return nil }

func fresh(t testing.TB) *Journal { return open(t, filepath.Join(t.TempDir(), "journal")) }

// crash gives what a journal would be after a power cut at this instant.
func crash(t testing.TB, j *Journal) *Journal {
	path := filepath.Join(t.TempDir(), "journal")
	if err := j.db.View(func(tx *bbolt.Tx) error { return tx.CopyFile(path, 0o600) }); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

func TestANodeKeepsItsUUIDAndItsSecrets(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j := open(t, path)
	id := j.NodeUUID()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if again := open(t, path).NodeUUID(); again != id || len(id) != 36 {
		t.Errorf("was %q, is %q", id, again)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestOneProcessOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	open(t, path)
	if _, err := Open(path); !fault.Is(err, fault.Busy) {
		t.Errorf("got %v", err)
	}
}

func TestClosedRefuses(t *testing.T) {
	t.Parallel()
	j := fresh(t)
	j.Close()
	if err := j.Accept(Fence{Resource: "v", Generation: 1}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestFences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before []Fence
		fence  Fence
		stale  bool
	}{
		{name: "first", fence: Fence{Generation: 1}},
		{name: "repeated", before: []Fence{{Generation: 1}}, fence: Fence{Generation: 1}},
		{name: "newer", before: []Fence{{Generation: 1}}, fence: Fence{Generation: 2}},
		{name: "older", before: []Fence{{Generation: 2}}, fence: Fence{Generation: 1}, stale: true},
		{name: "older end", before: []Fence{{Generation: 2}}, fence: Fence{Generation: 1, Ends: true}, stale: true},
		{name: "late create", before: []Fence{{Generation: 2, Pool: "a", Ends: true}}, fence: Fence{Generation: 2, Pool: "a"}, stale: true},
		{name: "repeated end", before: []Fence{{Generation: 2, Pool: "a", Ends: true}}, fence: Fence{Generation: 2, Pool: "a", Ends: true}},
		{name: "next pool", before: []Fence{{Generation: 2, Pool: "a", Ends: true}}, fence: Fence{Generation: 2, Pool: "b"}},
		{name: "both pools", before: []Fence{{Generation: 2, Pool: "a", Ends: true}, {Generation: 2, Pool: "b", Ends: true}}, fence: Fence{Generation: 2, Pool: "a"}, stale: true},
		{name: "made again", before: []Fence{{Generation: 2, Pool: "a", Ends: true}}, fence: Fence{Generation: 3, Pool: "a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := fresh(t)
			c.fence.Resource = "v"
			for _, f := range c.before {
				f.Resource = "v"
				if err := j.Accept(f); err != nil {
					t.Fatal(err)
				}
			}
			for _, j := range []*Journal{j, crash(t, j)} {
				if err := j.Check(c.fence); fault.Is(err, fault.Stale) != c.stale {
					t.Errorf("check: %v", err)
				}
				if err := j.Accept(c.fence); fault.Is(err, fault.Stale) != c.stale || (err != nil) != c.stale {
					t.Errorf("accept: %v", err)
				}
			}
		})
	}
}

func TestOneInitiatorOneLogin(t *testing.T) {
	t.Parallel()
	j := fresh(t)
	grant := func(attachment, initiator, password string) Export {
		e, err := j.Grant(Fence{Resource: attachment, Generation: 1, Pool: "p"}, "v",
			Grant{Initiator: initiator, Username: "user-" + attachment, Password: target.Secret(password)}, Limits{}, fine)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	grant("a", "host1", "one")
	grant("b", "host2", "two")
	e := grant("c", "HOST1", "three")
	want := Export{Volume: "v", Pool: "p", Grants: []Grant{
		{Attachment: "a", Initiator: "host1", Username: "user-a", Password: "one", Generation: 1},
		{Attachment: "b", Initiator: "host2", Username: "user-b", Password: "two", Generation: 1},
		{Attachment: "c", Initiator: "HOST1", Username: "user-a", Password: "one", Generation: 1},
	}}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
	if again := grant("a", "host1", "other"); !cmp.Equal(want, again) {
		t.Errorf("a repeated grant changed what the other attachment uses: %v", cmp.Diff(want, again))
	}
	e, ok, err := j.Revoke(Fence{Resource: "a", Generation: 2, Pool: "p"}, "v")
	want.Grants = want.Grants[1:]
	if err != nil || !ok || !cmp.Equal(want, e) {
		t.Errorf("%v %v", err, cmp.Diff(want, e))
	}
	if _, err := j.Grant(Fence{Resource: "a", Generation: 1, Pool: "p"}, "v", Grant{Initiator: "late"}, Limits{}, fine); !fault.Is(err, fault.Stale) {
		t.Errorf("a late grant: %v", err)
	}
	if all, err := j.Exports(); err != nil || !cmp.Equal(all, []Export{want}) {
		t.Errorf("%v %v", all, err)
	}
}

func TestARefusedGrantLeavesNothing(t *testing.T) {
	t.Parallel()
	j := fresh(t)
	refuse := func(e Export) error { return fault.New(fault.Invalid, "no %s", e.Grants[0].Initiator) }
	if _, err := j.Grant(Fence{Resource: "a", Generation: 1}, "v", Grant{Initiator: "i"}, Limits{}, refuse); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
	if _, ok, _ := j.Export("v"); ok || j.Generation("a") != 0 {
		t.Error("it left something")
	}
}

func TestPasswordsAreKeptAndNotPrinted(t *testing.T) {
	t.Parallel()
	j := fresh(t)
	j.Grant(Fence{Resource: "a", Generation: 1}, "v", Grant{Initiator: "i", Password: "sesame"}, Limits{}, fine)
	e, _, err := crash(t, j).Export("v")
	if err != nil || e.Grants[0].Password != "sesame" || strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), "sesame") {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestForgetKeepsWhatIsGranted(t *testing.T) {
	t.Parallel()
	j := fresh(t)
	j.Revoke(Fence{Resource: "a", Generation: 1}, "v")
	j.Grant(Fence{Resource: "b", Generation: 1}, "v", Grant{Initiator: "i"}, Limits{}, fine)
	j.Forget("v")
	j.Accept(Fence{Resource: "flush", Generation: 1})
	if _, ok, err := j.Export("v"); !ok || err != nil {
		t.Fatal("forgotten while granted")
	}
	j.Revoke(Fence{Resource: "b", Generation: 2}, "v")
	j.Forget("v")
	j.Accept(Fence{Resource: "flush", Generation: 2})
	if _, ok, err := j.Export("v"); ok || err != nil {
		t.Error("not forgotten")
	}
}

func TestAnotherPoolIsAConflict(t *testing.T) {
	t.Parallel()
	j := fresh(t)
	j.Grant(Fence{Resource: "a", Generation: 1, Pool: "p"}, "v", Grant{Initiator: "i"}, Limits{}, fine)
	if _, err := j.Grant(Fence{Resource: "b", Generation: 1, Pool: "q"}, "v", Grant{Initiator: "k"}, Limits{}, fine); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v", err)
	}
	if j.Generation("b") != 0 {
		t.Error("a refused grant left its fence")
	}
}

func TestManyShareACommit(t *testing.T) {
	t.Parallel()
	j := fresh(t)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if err := j.Accept(Fence{Resource: fmt.Sprint(i), Generation: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var commits int
	j.db.View(func(tx *bbolt.Tx) error { commits = tx.ID(); return nil })
	if commits > 100 {
		t.Errorf("%d commits for 200 fences asked for at once", commits)
	}
	after := crash(t, j)
	for i := range 200 {
		if after.Generation(fmt.Sprint(i)) != 1 {
			t.Fatalf("fence %d is lost", i)
		}
	}
}

func TestOldThingsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, err := Open(filepath.Join(t.TempDir(), "journal"))
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		j.Finish(Result{ID: "op"})
		if _, ok := j.Result("op"); !ok {
			t.Error("a result is not known at once")
		}
		j.Accept(Fence{Resource: "gone", Generation: 3, Ends: true})
		j.Accept(Fence{Resource: "back", Generation: 3, Ends: true})
		j.Accept(Fence{Resource: "back", Generation: 4})
		step := func(d time.Duration, n int64) {
			time.Sleep(d)
			if err := j.Accept(Fence{Resource: "clock", Generation: n}); err != nil {
				t.Fatal(err)
			}
		}
		step(59*time.Minute, 1)
		if _, ok := j.Result("op"); !ok {
			t.Error("a result is gone within the hour")
		}
		step(2*time.Minute, 2)
		if _, ok := j.Result("op"); ok {
			t.Error("a result is kept longer than an hour")
		}
		if j.ends != 0 {
			t.Errorf("%d results are counted", j.ends)
		}
		step(6*24*time.Hour, 3)
		if j.Generation("gone") != 3 {
			t.Error("a tombstone is gone within seven days")
		}
		step(25*time.Hour, 4)
		if j.Generation("gone") != 0 {
			t.Error("a tombstone is kept longer than seven days")
		}
		if j.Generation("back") != 4 {
			t.Error("the fence of a volume made again is gone")
		}
	})
}

func TestResultsAreOnDiskWithinASecond(t *testing.T) {
	t.Parallel()
	j := fresh(t)
	want := Result{ID: "op", Resource: "v", Kind: "create", BytesDone: 1, BytesTotal: 2, Code: fault.NoSpace, Message: "full"}
	j.Finish(want)
	if err := j.Accept(Fence{Resource: "next", Generation: 1}); err != nil {
		t.Fatal(err)
	}
	got, ok := crash(t, j).Result("op")
	want.At = got.At
	if !ok || got != want {
		t.Errorf("got %+v", got)
	}
}

func TestALaterFormatIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j := open(t, path)
	j.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketNode).Put(keyFormat, []byte("2")) })
	j.Close()
	if _, err := Open(path); err == nil {
		t.Error("opened")
	}
}

// TestDamaged: a file that a disk has spoilt is said to be that, with what to do.
func TestDamaged(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func([]byte) []byte{
		"short":      func(b []byte) []byte { return b[:2*os.Getpagesize()] },
		"very short": func(b []byte) []byte { return b[:100] },
		"zeroes":     func(b []byte) []byte { clear(b); return b },
		"a page":     func(b []byte) []byte { clear(b[2*os.Getpagesize() : 64*os.Getpagesize()]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal")
			j := open(t, path)
			err := errors.Join(j.Accept(Fence{Operation: "o", Resource: "v", Generation: 1, Pool: "p"}), j.Close())
			whole, errRead := os.ReadFile(path)
			if err := errors.Join(err, errRead, os.WriteFile(path, spoil(whole), 0o600)); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "move the file away") {
				t.Errorf("got %v", err)
			}
		})
	}
}
