package lio

import (
	"context"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

var update = flag.Bool("update", false, "write the golden files anew")

const prefix = "iqn.2010-10.org.openstack:"

func onFake(f *fake, portals ...string) *Target {
	return &Target{fs: f, prefix: prefix, portals: portals}
}

func fileExport(t testing.TB, size int64) target.Export {
	path := filepath.Join(t.TempDir(), "volume")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, size)); err != nil {
		t.Fatal(err)
	}
	return target.Export{IQN: prefix + "volume-a", Device: path, Serial: "1b4e28ba",
		Grants: []target.Grant{
			{Initiator: "iqn.1993-08.org.debian:01:alice", Username: "ua", Password: "0123456789abcdef"},
			{Initiator: "iqn.1993-08.org.debian:01:bob", Username: "ub", Password: "fedcba9876543210", ReadOnly: true},
		}}
}

func apply(t interface {
	Helper()
	Fatal(...any)
}, tg *Target, e target.Export) {
	t.Helper()
	if _, err := tg.Apply(context.Background(), e); err != nil {
		t.Fatal(err)
	}
}

// TestOrder keeps the order of the operations in golden files: the kernel
// cares, and so does whoever might log in between two of them.
func TestOrder(t *testing.T) {
	f := newFake()
	tg, e := onFake(f, "192.0.2.1:3260", "[2001:db8::1]:3260"), fileExport(t, 64<<20)
	golden := func(name string) {
		t.Helper()
		got := strings.ReplaceAll(strings.Join(f.log, "\n")+"\n", e.Device, "/srv/volume")
		f.log = nil
		path := filepath.Join("testdata", name)
		if *update {
			if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if diff := cmp.Diff(string(want), got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	apply(t, tg, e)
	golden("apply.txt")
	apply(t, tg, e)
	if len(f.log) != 0 {
		t.Errorf("applying the same again did %q", f.log)
	}
	if err := os.Truncate(e.Device, 128<<20); err != nil {
		t.Fatal(err)
	}
	e.Grants[0].Password = "another-password"
	apply(t, tg, e)
	golden("grow.txt")
	e.Grants = e.Grants[1:]
	e.Grants[0].ReadOnly = false
	apply(t, tg, e)
	golden("revoke.txt")
	if err := tg.Remove(t.Context(), e.IQN); err != nil {
		t.Fatal(err)
	}
	golden("remove.txt")
}

// TestSavedConfiguration: after a boot another program has restored what it had saved of
// our export, with grants of then. It gives way.
func TestSavedConfiguration(t *testing.T) {
	t.Parallel()
	e := fileExport(t, 64<<20)
	f := newFake()
	group, store := "iscsi/"+e.IQN+"/tpgt_1", "core/fileio_0/"+e.IQN
	saved := []error{f.mkdir("core/fileio_0"), f.mkdir(store), f.write(store+"/control", "fd_dev_name="+e.Device),
		f.write(store+"/udev_path", e.Device), f.write(store+"/enable", "1"),
		f.mkdir("iscsi"), f.mkdir("iscsi/" + e.IQN), f.mkdir(group), f.mkdir(group + "/lun/lun_0"), f.link(store, group+"/lun/lun_0/f00"),
		f.mkdir(group + "/acls/iqn.1993-08.org.debian:01:carol"), f.write(group+"/enable", "1")}
	if err := errors.Join(saved...); err != nil {
		t.Fatal(err)
	}
	tg := onFake(f, "192.0.2.1:3260")
	apply(t, tg, e)
	all, err := tg.List(t.Context())
	if err != nil || len(all) != 1 || len(all[0].Grants) != 2 || all[0].Device != e.Device {
		t.Errorf("exported: %+v, %v", all, err)
	}
	if err := tg.Remove(t.Context(), e.IQN); err != nil || f.dirs[store] {
		t.Errorf("removed: %v", err)
	}
}

// TestBrokenOff breaks Apply and Remove off after every operation: the next
// Apply makes exactly what an undisturbed one makes, the next Remove leaves
// nothing, and List shows what there is to remove.
func TestBrokenOff(t *testing.T) {
	e := fileExport(t, 64<<20)
	whole := newFake()
	apply(t, onFake(whole, "192.0.2.1:3260"), e)
	total := len(whole.log)
	empty := newFake()
	apply(t, onFake(empty, "192.0.2.1:3260"), e)
	if err := onFake(empty).Remove(t.Context(), e.IQN); err != nil {
		t.Fatal(err)
	}
	same := func(got, want *fake) string {
		return cmp.Diff(want.dirs, got.dirs) + cmp.Diff(want.values, got.values) + cmp.Diff(want.links, got.links)
	}
	breakOff := func(n int, removing bool) (*fake, *Target) {
		f := newFake()
		tg := onFake(f, "192.0.2.1:3260")
		if removing {
			apply(t, tg, e)
		}
		f.budget = n
		var err error
		if removing {
			err = tg.Remove(t.Context(), e.IQN)
		} else {
			_, err = tg.Apply(t.Context(), e)
		}
		if err == nil {
			t.Fatalf("%d operations were enough", n)
		}
		f.budget = -1
		return f, tg
	}
	steps := map[bool]int{false: total, true: len(empty.log) - total}
	for removing, n := range steps {
		for i := range n {
			f, tg := breakOff(i, removing)
			apply(t, tg, e)
			if diff := same(f, whole); diff != "" {
				t.Fatalf("removing %v, broken off after %d: %s", removing, i, diff)
			}
			f, tg = breakOff(i, removing)
			before, err := tg.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if leaks := f.dirs["core/fileio_2010/"+e.IQN] || f.dirs["iscsi/"+e.IQN]; leaks != (len(before) == 1) {
				t.Fatalf("broken off after %d: List shows %v", i, before)
			}
			if err := tg.Remove(t.Context(), e.IQN); err != nil {
				t.Fatal(err)
			}
			left := slices.Collect(maps.Keys(f.dirs))
			if slices.ContainsFunc(left, func(p string) bool { return strings.Contains(p, e.IQN) }) || len(f.links) > 0 {
				t.Fatalf("removing %v, broken off after %d: left %q", removing, i, left)
			}
		}
	}
}

// TestAnySequence applies any exports one after the other: what is there is
// always what the last one says, and at no moment can anybody log in who is
// in neither the old nor the new one, or write who may only read.
func TestAnySequence(t *testing.T) {
	device := fileExport(t, 64<<20).Device
	initiators := []string{"iqn.2000-01.h:a", "iqn.2000-01.h:b", "iqn.2000-01.h:c"}
	rapid.Check(t, func(t *rapid.T) {
		f := newFake()
		tg := onFake(f, "192.0.2.1:3260")
		old := map[string]target.Grant{}
		for range rapid.IntRange(1, 5).Draw(t, "rounds") {
			e := target.Export{IQN: prefix + "volume-a", Device: device, Serial: rapid.SampledFrom([]string{"s1", "s1", "s2"}).Draw(t, "serial")}
			now := map[string]target.Grant{}
			for _, name := range rapid.Permutation(initiators).Draw(t, "initiators")[:rapid.IntRange(0, 3).Draw(t, "grants")] {
				g := target.Grant{Initiator: name, ReadOnly: rapid.Bool().Draw(t, "ro"),
					Username: name[len(name)-1:] + rapid.SampledFrom([]string{"1", "2"}).Draw(t, "user"),
					Password: target.Secret(rapid.SampledFrom([]string{"password-one", "password-two"}).Draw(t, "password"))}
				e.Grants, now[name] = append(e.Grants, g), g
			}
			f.after = func() {
				if why := trespass(f, e.IQN, old, now); why != "" {
					t.Fatalf("after %s: %s", f.log[len(f.log)-1], why)
				}
			}
			apply(t, tg, e)
			f.after = nil
			got, err := tg.List(context.Background())
			if err != nil || len(got) != 1 {
				t.Fatalf("%v %v", got, err)
			}
			for i := range e.Grants {
				e.Grants[i].Password = ""
			}
			order := func(a, b target.Grant) int { return strings.Compare(a.Initiator, b.Initiator) }
			slices.SortFunc(e.Grants, order)
			if diff := cmp.Diff(e, got[0]); diff != "" {
				t.Fatal(diff)
			}
			old = now
		}
	})
}

// trespass says what an initiator could do at this moment that neither grants
// allow.
func trespass(f *fake, iqn string, old, now map[string]target.Grant) string {
	group := "iscsi/" + iqn + "/tpgt_1"
	rules, _ := f.list(group + "/acls")
	for _, i := range rules {
		user, password := f.values[group+"/acls/"+i+"/auth/userid"], f.values[group+"/acls/"+i+"/auth/password"]
		if user == "" || password == "" {
			continue
		}
		if f.values[group+"/attrib/authentication"] != "1" || f.values[group+"/attrib/generate_node_acls"] != "0" {
			return "no authentication"
		}
		match := func(g target.Grant) bool { return g.Username == user }
		if !match(old[i]) && !match(now[i]) {
			return i + " has username " + user
		}
		writable := f.links[group+"/acls/"+i+"/lun_0/"+mappedLink] != "" && f.values[group+"/acls/"+i+"/lun_0/write_protect"] == "0"
		if writable && (old[i].ReadOnly || !match(old[i])) && (now[i].ReadOnly || !match(now[i])) {
			return i + " may write"
		}
	}
	return ""
}

func TestTurns(t *testing.T) {
	var turns turns
	ctx, cancel := context.WithCancel(t.Context())
	stuck, release := make(chan struct{}), make(chan struct{})
	go func() { <-stuck; cancel() }()
	err := turns.take(ctx, "iqn.x", func(context.Context) error { close(stuck); <-release; return nil })
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("given up: %v, want Timeout", err)
	}
	nothing := func(context.Context) error { return nil }
	if err := turns.take(ctx, "iqn.x", nothing); !fault.Is(err, fault.InProgress) {
		t.Errorf("while it is stuck: %v, want InProgress", err)
	}
	if err := turns.take(t.Context(), "iqn.y", nothing); err != nil {
		t.Errorf("another IQN: %v", err)
	}
	close(release)
	if err := turns.take(t.Context(), "iqn.x", nothing); err != nil {
		t.Errorf("after it came free: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Status: ACTIVATED  Max Queue Depth: 128  SectorSize: 512  HwMaxSectors: 16384\n        TCM FILEIO ID: 0        File: /srv/x  Size: 67108864  Mode: Buffered-WCE Async: 0\n")
	f.Add("T10 VPD Unit Serial Number: 1b4e28ba\n")
	f.Fuzz(func(t *testing.T, s string) {
		if fileSizeIn(s) < -1 {
			t.Error("a negative size")
		}
		serialIn(s)
	})
}

func TestFileSizeIn(t *testing.T) {
	for text, want := range map[string]int64{
		"TCM FILEIO ID: 0        File: /srv/x  Size: 67108864  Mode: Buffered-WCE Async: 0": 67108864,
		"File: /srv/Size: 5 /x  Size: 7  Mode: O_DSYNC":                                     7,
		"Status: DEACTIVATED": -1, "": -1,
		"Status: ACTIVATED  Max Queue Depth: 128  SectorSize: 512  HwMaxSectors: 16384": -1,
		"File: /srv/x  Size: -7  Mode: O_DSYNC":                                         -1,
	} {
		if got := fileSizeIn(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
