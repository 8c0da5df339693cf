package backup_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"clinker/internal/fault"
	"clinker/volumed/backup"
)

const (
	unit = 4 * quarter // a chunk
	mib  = 1 << 20
)

// TestDamage: whatever happens to a backup's files, a restore says so and where, and
// the other backups are as they were.
func TestDamage(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4*unit)
	r.write(unit, noise(unit, 1))
	r.write(2*unit, []byte(strings.Repeat("compressible ", 2000)))
	full := r.backUp(nil)
	want := r.content()
	other := r.backUp(nil)
	r.write(3*unit, noise(unit, 2))
	more := r.backUp(&full.Place)
	is := r.content()
	chunks := r.objects(full.Place)
	if len(chunks) != 3 { // two and the table
		t.Fatal(chunks)
	}
	for i, path := range append(slices.Clone(chunks), r.manifest(full.Place)) {
		good, err := os.ReadFile(path)
		r.must(err)
		swap, err := os.ReadFile(chunks[(i+1)%3])
		r.must(err)
		bomb := bombOf(t)
		for name, bad := range map[string][]byte{
			"empty": {}, "one byte": good[:1], "cut": good[:len(good)/2], "shorter": good[:len(good)-1], "longer": append(good[:len(good):len(good)], 0),
			"flipped": flipped(good, len(good)/3), "first": flipped(good, 0), "last": flipped(good, len(good)-1),
			"swapped": swap, "bomb": bomb, "missing": nil,
		} {
			if bad == nil {
				r.must(os.Remove(path))
			} else {
				r.must(os.WriteFile(path, bad, 0o600))
			}
			_, err := r.restore(full.Place, 4*unit, true)
			if err == nil && name != "last" {
				t.Errorf("file %d, %s: restored", i, name)
			}
			code := fault.Invalid
			if i == len(chunks) && name == "missing" {
				code = fault.NotFound
			}
			if err == nil { // its bytes are others and mean the same
				r.holds(full.Place, want)
			} else if !fault.Is(err, code) || code == fault.Invalid && !strings.HasPrefix(fault.MessageOf(err), "the backup is damaged: ") && !strings.Contains(fault.MessageOf(err), "the table of backup") {
				t.Errorf("file %d, %s: %v", i, name, err)
			}
			r.must(os.WriteFile(path, good, 0o600))
		}
	}
	r.holds(full.Place, want)
	r.holds(other.Place, want)
	r.holds(more.Place, is)
	r.must(r.store.Verify(t.Context(), more.Place, func(int64) {}))
	r.must(os.Remove(r.objects(other.Place)[0]))
	r.holds(more.Place, is)

	// The sentence names the place, and whose object it is.
	for _, path := range chunks {
		r.must(os.Rename(path, path+"-away"))
	}
	if err := r.store.Verify(t.Context(), more.Place, func(int64) {}); !fault.Is(err, fault.Invalid) {
		t.Errorf("verified: %v", err)
	}
	_, err := r.restore(more.Place, 4*unit, true)
	if text := fault.MessageOf(err); !strings.Contains(text, "missing (the chunk at byte ") || !strings.Contains(text, full.ID) {
		t.Error(err)
	}
}

func (r *rig) manifest(place backup.Place) string {
	return filepath.Join(r.dir, place.Container, "manifest", place.ID)
}

func flipped(data []byte, at int) []byte {
	bad := append([]byte(nil), data...)
	bad[at] ^= 0x40
	return bad
}

// bombOf is an object of some kilobytes that decompresses to a gibibyte.
func bombOf(t *testing.T) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var frames []byte
	part := e.EncodeAll(make([]byte, 64*mib), nil)
	for range 16 {
		frames = append(frames, part...)
	}
	return append([]byte{1}, frames...)
}

// TestBomb: no more memory is used than a chunk's, whatever an object claims.
func TestBomb(t *testing.T) {
	r := newRigOf(t, 4*mib, 4*mib)
	r.write(0, noise(4*mib, 1))
	m := r.backUp(nil)
	for _, path := range r.objects(m.Place) {
		r.must(os.WriteFile(path, bombOf(t), 0o600))
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := r.restore(m.Place, 4*mib, true); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 128*mib {
		t.Errorf("%d MiB were allocated", used/mib)
	}
}

// TestSwappedManifests: a backup's manifest is no other's.
func TestSwappedManifests(t *testing.T) {
	t.Parallel()
	r := newRig(t, unit)
	r.write(0, []byte("one"))
	one := r.backUp(nil)
	r.write(0, []byte("two"))
	two := r.backUp(nil)
	text, err := os.ReadFile(r.manifest(two.Place))
	r.must(err)
	r.must(os.WriteFile(r.manifest(one.Place), text, 0o600))
	if _, err := r.store.Manifest(t.Context(), one.Place); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	all, err := r.store.Manifests(t.Context(), "tests", "", 10)
	if err != nil || len(all) != 1 || all[0].ID != two.ID {
		t.Errorf("%v %v", all, err)
	}
}

func TestManifests(t *testing.T) {
	t.Parallel()
	r := newRig(t, 64<<10)
	want := map[string]bool{}
	for range 7 {
		want[r.backUp(nil).ID] = true
	}
	r.must(os.WriteFile(filepath.Join(r.dir, "tests/manifest/stranger"), nil, 0o600))
	after, pages := "", 0
	for {
		page, err := r.store.Manifests(t.Context(), "tests", after, 3)
		r.must(err)
		if len(page) == 0 {
			break
		}
		pages++
		for _, m := range page {
			if m.ID <= after || !want[m.ID] || m.Metadata["name"] != "a volume" {
				t.Errorf("%s after %s", m.ID, after)
			}
			delete(want, m.ID)
			after = m.ID
		}
	}
	if len(want) != 0 || pages < 3 {
		t.Errorf("%d pages, left out: %v", pages, want)
	}
	if _, err := r.store.Manifests(t.Context(), "../x", "", 3); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestContainers(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"volumebackups": true, "A.b-c_9": true, strings.Repeat("a", 255): true,
		"": false, ".": false, "..": false, ".clinker": false, "a/b": false, "a\x00": false, strings.Repeat("a", 256): false, "ä": false, "a\n": false,
	} {
		if err := backup.CheckContainer(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// endless is a store that lists a backup's objects without end.
type endless struct{ backup.Driver }

func (e endless) List(ctx context.Context, folder, _ string, visit func(backup.Object) bool) error {
	for i := 0; strings.Contains(folder, "/data/") && visit(backup.Object{Key: fmt.Sprintf("%s/%064x", folder, i), Bytes: 1}); i++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// TestEndlessListing: a backup is made in a store that does not come to an end of what
// an earlier attempt is said to have left.
func TestEndlessListing(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4*unit)
	r.write(unit, noise(unit, 1))
	r.driver.Driver = endless{r.driver.Driver}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m, err := r.store.Create(ctx, r.request(nil))
	if err != nil {
		t.Fatal(err)
	}
	r.holds(m.Place, r.content())
}
