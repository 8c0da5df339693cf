package backup_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backup"
	"clinker/volumed/backup/posix"
)

// rig is a store in a directory, and a file to back up.
type rig struct {
	t      testing.TB
	dir    string // of the store
	driver *counting
	store  *backup.Store
	volume string // path of the file
	id     string // of the volume
}

func newRig(t testing.TB, bytes int64) *rig { return newRigOf(t, bytes, 4*quarter) }

// newRigOf has chunks of a size of its own.
func newRigOf(t testing.TB, bytes, chunk int64) *rig {
	r := &rig{t: t, dir: filepath.Join(t.TempDir(), "store"), volume: filepath.Join(t.TempDir(), "volume"), id: uuid.NewString()}
	driver, err := posix.New(r.dir)
	r.must(err)
	r.driver = &counting{Driver: driver}
	r.store = backup.New(backup.Options{Driver: r.driver, Location: "posix:" + r.dir, Compress: true, ChunkBytes: chunk})
	f, err := os.Create(r.volume)
	r.must(err)
	r.must(f.Truncate(bytes))
	r.must(f.Close())
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) write(at int64, data []byte) {
	r.t.Helper()
	f, err := os.OpenFile(r.volume, os.O_WRONLY, 0)
	r.must(err)
	_, err = f.WriteAt(data, at)
	r.must(err)
	r.must(f.Close())
}

func (r *rig) size() int64 {
	info, err := os.Stat(r.volume)
	r.must(err)
	return info.Size()
}

func (r *rig) request(parent *backup.Place) backup.Request {
	return backup.Request{
		Place:    backup.Place{ID: uuid.NewString(), Container: "tests"},
		VolumeID: r.id, Parent: parent, Path: r.volume, Bytes: r.size(), Progress: func(int64) {},
		Metadata: map[string]string{"name": "a volume"},
	}
}

// backUp makes a backup that must succeed.
func (r *rig) backUp(parent *backup.Place) *backup.Manifest {
	r.t.Helper()
	m, err := r.store.Create(context.Background(), r.request(parent))
	r.must(err)
	return m
}

// restore gives the bytes of a backup, in a file that had others.
func (r *rig) restore(place backup.Place, bytes int64, blank bool) ([]byte, error) {
	path := filepath.Join(r.t.TempDir(), uuid.NewString())
	if blank {
		r.must(os.WriteFile(path, nil, 0o600))
		r.must(os.Truncate(path, bytes))
	} else {
		r.must(os.WriteFile(path, noise(int(bytes), 99), 0o600))
	}
	if err := r.store.Restore(context.Background(), place, backup.Target{Path: path, Bytes: bytes, Blank: blank, Progress: func(int64) {}}); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// holds demands that a backup restores to these bytes.
func (r *rig) holds(place backup.Place, want []byte) {
	r.t.Helper()
	for _, blank := range []bool{true, false} {
		got, err := r.restore(place, int64(len(want)), blank)
		if err != nil || !bytes.Equal(got, want) {
			r.t.Errorf("backup %s, blank %v: other bytes, or %v", place.ID, blank, err)
		}
	}
}

func (r *rig) content() []byte {
	data, err := os.ReadFile(r.volume)
	r.must(err)
	return data
}

// objects are the paths of a backup's objects.
func (r *rig) objects(place backup.Place) (all []string) {
	_ = filepath.WalkDir(filepath.Join(r.dir, place.Container, "data", place.ID), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all = append(all, path)
		}
		return nil
	})
	return all
}

// noise gives bytes that do not compress, the same for the same seed.
func noise(n int, seed uint64) []byte {
	data, x := make([]byte, n), seed*0x9e3779b97f4a7c15+1
	for i := range data {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		data[i] = byte(x)
	}
	return data
}

// counting counts what is stored, and may fail.
type counting struct {
	backup.Driver
	puts, gets atomic.Int64
	mu         sync.Mutex
	fail       func(method, key string) error
}

func (c *counting) failing(fail func(method, key string) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = fail
}

func (c *counting) hook(method, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail == nil {
		return nil
	}
	return c.fail(method, key)
}

func (c *counting) Put(ctx context.Context, key string, data []byte) error {
	if err := c.hook("put", key); err != nil {
		return err
	}
	c.puts.Add(1)
	return c.Driver.Put(ctx, key, data)
}

func (c *counting) Get(ctx context.Context, key string, buffer []byte) ([]byte, error) {
	if err := c.hook("get", key); err != nil {
		return nil, err
	}
	c.gets.Add(1)
	return c.Driver.Get(ctx, key, buffer)
}

var errBroken = fault.New(fault.Unavailable, "the wire is cut")

// memory is a store without a disk, for tests of many backups.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
}

func (m *memory) Put(_ context.Context, key string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[key] = bytes.Clone(data)
	return nil
}

func (m *memory) Create(ctx context.Context, key string, data []byte) error {
	return m.Put(ctx, key, data)
}

func (m *memory) Get(_ context.Context, key string, buffer []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[key]
	if !ok {
		return nil, fault.New(fault.NotFound, "there is no such object")
	}
	return append(buffer[:0], data...), nil
}

func (m *memory) List(_ context.Context, folder, _ string, visit func(backup.Object) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, data := range m.objects {
		if strings.HasPrefix(key, folder+"/") {
			visit(backup.Object{Key: key, Bytes: int64(len(data))})
		}
	}
	return nil
}

func (m *memory) Delete(_ context.Context, keys []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		delete(m.objects, key)
	}
	return nil
}

func (m *memory) Flush(context.Context, string) error { return nil }
