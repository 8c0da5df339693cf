package lvm

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"clinker/volumed/backend"
)

// file reads a report that LVM 2.03.16 wrote.
func file(t testing.TB, name string) []byte {
	t.Helper()
	output, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

func TestParseVolumes(t *testing.T) {
	t.Parallel()
	r, err := parseVolumes(file(t, "volumes.json"))
	if err != nil {
		t.Fatal(err)
	}
	if r.totalBytes != 21470642176 || r.freeBytes != 21344813056 {
		t.Errorf("the volume group has %d bytes, %d free", r.totalBytes, r.freeBytes)
	}
	group := &group{}
	for _, test := range []struct {
		pool        pool
		live, trash []backend.Entry
	}{
		{
			pool: &thick{group},
			live: []backend.Entry{
				{Name: "_snapshot-5a6c9a52-8d7b-4b6e-a2a1-2a1d0c1b7f10", Bytes: 16 << 20},
				{Name: "volume-0e0f7c5e-8f0d-4d8a-9c6e-0d6b5a4f3e21", Bytes: 16 << 20},
			},
			trash: []backend.Entry{{Name: "_trash-volume-9d9c9b9a-0000-4000-8000-000000000001-1", Bytes: 8 << 20}},
		},
		{
			pool: &thin{group: group, name: "pool"},
			live: []backend.Entry{
				{Name: "_snapshot-c3c2b1a0-1111-4222-8333-444455556666", Bytes: 32 << 20},
				{Name: "volume-7b1f4a8e-9a55-4a83-8f6b-63e7b8f6a1c2", Bytes: 32 << 20},
			},
		},
		{pool: &thin{group: group, name: "another"}},
	} {
		b := &Backend{group: group, pool: test.pool}
		if diff := cmp.Diff(test.live, b.live(r)); diff != "" {
			t.Errorf("live: %s", diff)
		}
		if diff := cmp.Diff(test.trash, b.trash(r)); diff != "" {
			t.Errorf("trash: %s", diff)
		}
	}
	if pool, _ := r.find("pool"); !pool.thinPool() {
		t.Errorf("the pool is none: %+v", pool)
	}
	if v, ok := r.find("missing"); ok {
		t.Errorf("found %+v", v)
	}
}

// TestHalfMade: a snapshot without an origin is not there yet, and a trash
// name that is held is not trash yet.
func TestHalfMade(t *testing.T) {
	t.Parallel()
	b := &Backend{group: &group{}}
	b.pool = &thick{b.group}
	trash := b.held.trashName("volume-a")
	r := &report{volumes: []logicalVolume{{Name: "_snapshot-a"}, {Name: trash}, {Name: "volume-b", Origin: "volume-a"}}}
	release := b.held.hold(trash)
	if live, waste := b.live(r), b.trash(r); len(live) != 0 || len(waste) != 0 {
		t.Errorf("live %v, trash %v; want none", live, waste)
	}
	release()
	if waste := b.trash(r); len(waste) != 1 {
		t.Errorf("trash %v after release, want one", waste)
	}
	if again := b.held.trashName("volume-a"); again == trash {
		t.Errorf("%s was given out twice", again)
	}
}

func TestParseGroup(t *testing.T) {
	t.Parallel()
	g, err := parseGroup(file(t, "group.json"))
	want := groupReport{totalBytes: 21470642176, freeBytes: 21344813056, extentBytes: 4 << 20, physical: []string{"/dev/vda"}}
	if err != nil || g.extentBytes != want.extentBytes || g.totalBytes != want.totalBytes ||
		g.freeBytes != want.freeBytes || !slices.Equal(g.physical, want.physical) {
		t.Errorf("got %+v, %v", g, err)
	}
}

func TestParseOthers(t *testing.T) {
	t.Parallel()
	if r, err := parseVolumes(file(t, "empty.json")); err != nil || len(r.volumes) != 0 {
		t.Errorf("no volumes: %+v, %v", r, err)
	}
	twice := `{"report":[{"log":[{"x":"y"}]},{"lv":[{"lv_name":"a","lv_size":"1"},{"lv_name":"a","lv_size":"1"}]}]}`
	if r, err := parseVolumes([]byte(twice)); err != nil || len(r.volumes) != 1 {
		t.Errorf("a row for each segment: %+v, %v", r, err)
	}
	for _, broken := range []string{
		"", "{", `{"report":[{"lv":{}}]}`, `{"report":[{"lv":[{"lv_name":"a","lv_size":"1.50g"}]}]}`,
		`{"report":[{"lv":[{"lv_name":"a","lv_size":"-1"}]}]}`, `{"report":[{"lv":[{"lv_size":"1"}]}]}`,
	} {
		if r, err := parseVolumes([]byte(broken)); err == nil {
			t.Errorf("%s: got %+v", broken, r)
		}
	}
	for _, broken := range []string{"", `{"report":[]}`, strings.ReplaceAll(string(file(t, "group.json")), "4194304", "")} {
		if g, err := parseGroup([]byte(broken)); err == nil {
			t.Errorf("%s: got %+v", broken, g)
		}
	}
}

func FuzzParseVolumes(f *testing.F) {
	f.Add(file(f, "volumes.json"))
	f.Add(file(f, "empty.json"))
	f.Fuzz(func(t *testing.T, output []byte) {
		r, err := parseVolumes(output)
		if err != nil {
			return
		}
		for i, v := range r.volumes {
			if v.Name == "" || v.Bytes < 0 || i > 0 && v.Name <= r.volumes[i-1].Name {
				t.Errorf("row %d: %+v", i, v)
			}
			if found, ok := r.find(v.Name); !ok || found != v {
				t.Errorf("%q is not to be found", v.Name)
			}
		}
	})
}

func FuzzParseGroup(f *testing.F) {
	f.Add(file(f, "group.json"))
	f.Fuzz(func(t *testing.T, output []byte) {
		if g, err := parseGroup(output); err == nil && (g.extentBytes <= 0 || g.totalBytes < 0) {
			t.Errorf("%+v", g)
		}
	})
}

// TestAuto: a thin pool is used where it is there, but not past thick volumes.
func TestAuto(t *testing.T) {
	t.Parallel()
	const id = "volume-01e50f2a-7b1c-4f0e-9a52-5d0f6a6b7c8d"
	pool := logicalVolume{Name: "pool", Layout: "thin,pool"}
	for _, c := range []struct {
		options Options
		volumes []logicalVolume
		want    bool
	}{
		{Options{}, []logicalVolume{pool}, false},
		{Options{ThinPool: "pool"}, nil, true}, // and Open says what is missing
		{Options{ThinPool: "pool", Auto: true}, nil, false},
		{Options{ThinPool: "pool", Auto: true}, []logicalVolume{pool}, true},
		{Options{ThinPool: "pool", Auto: true}, []logicalVolume{pool, {Name: id, Pool: "pool"}, {Name: "root"}}, true},
		{Options{ThinPool: "pool", Auto: true}, []logicalVolume{pool, {Name: id}}, false},
		{Options{ThinPool: "pool", Auto: true}, []logicalVolume{{Name: "_trash-" + id + "-1"}, pool}, false}, // it is to be wiped
		{Options{ThinPool: "pool", Auto: true}, []logicalVolume{{Name: "_trash-" + id + "-1", Pool: "pool"}, pool}, true},
	} {
		if got := c.options.thin(&report{volumes: c.volumes}); got != c.want {
			t.Errorf("%+v of %v: thin is %v", c.options, c.volumes, got)
		}
	}
}

// TestOverlooked: what lvm_type = auto does not serve is told.
func TestOverlooked(t *testing.T) {
	t.Parallel()
	const thick, thin = "volume-01e50f2a-7b1c-4f0e-9a52-5d0f6a6b7c8d", "volume-11e50f2a-7b1c-4f0e-9a52-5d0f6a6b7c8d"
	both := &report{volumes: []logicalVolume{{Name: "pool", Layout: "thin,pool"}, {Name: thick}, {Name: thin, Pool: "pool"}}}
	for options, want := range map[Options]int{
		{ThinPool: "pool", Auto: true}:   1,
		{ThinPool: "wanted", Auto: true}: 1,
		{ThinPool: "pool"}:               0,
		{}:                               0,
	} {
		if got := options.overlooked(both); got != want {
			t.Errorf("%+v: %d are told of, want %d", options, got, want)
		}
	}
}
