// Package drivertest is what every driver of a backup store must do.
package drivertest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"clinker/internal/fault"
	"clinker/volumed/backup"
)

// Run holds a driver to backup.Driver's words. open gives one with an empty store of
// its own.
func Run(t *testing.T, open func(t *testing.T) backup.Driver) {
	for name, test := range map[string]func(*testing.T, context.Context, backup.Driver){
		"PutAndGet": putAndGet, "Bounds": bounds, "Create": create, "List": list, "Delete": remove, "AtOnce": atOnce, "Cancelled": cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, t.Context(), open(t))
		})
	}
}

func put(t *testing.T, d backup.Driver, key string, data []byte) {
	t.Helper()
	if err := d.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, d backup.Driver, key string, data []byte) {
	t.Helper()
	got, err := d.Get(t.Context(), key, make([]byte, 0, 10<<20))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%s: %d bytes, %v; want %d", key, len(got), err, len(data))
	}
}

func code(t *testing.T, err error, want fault.Code) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func keys(t *testing.T, d backup.Driver, folder, after string, most int) (all []string) {
	t.Helper()
	err := d.List(t.Context(), folder, after, func(o backup.Object) bool {
		all = append(all, o.Key)
		return len(all) < most
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func putAndGet(t *testing.T, ctx context.Context, d backup.Driver) {
	large := bytes.Repeat([]byte("large"), 1<<20)
	for key, data := range map[string][]byte{"a/b/c": []byte("one"), "a/b/large": large, "a/b/tail": large[:len(large)-100], "a/empty": {}, ".dot/x": {1}} {
		put(t, d, key, data)
		want(t, d, key, data)
	}
	put(t, d, "a/b/c", []byte("another"))
	want(t, d, "a/b/c", []byte("another"))
	for _, folder := range []string{"a/b", "not/there"} {
		if err := d.Flush(ctx, folder); err != nil {
			t.Error(err)
		}
	}
	_, err := d.Get(ctx, "a/b/d", make([]byte, 0, 10))
	code(t, err, fault.NotFound)
	_, err = d.Get(ctx, "not/there", make([]byte, 0, 10))
	code(t, err, fault.NotFound)
}

func bounds(t *testing.T, ctx context.Context, d backup.Driver) {
	put(t, d, "a/b", []byte("12345"))
	got, err := d.Get(ctx, "a/b", make([]byte, 0, 5))
	if err != nil || string(got) != "12345" {
		t.Errorf("%q %v", got, err)
	}
	_, err = d.Get(ctx, "a/b", make([]byte, 0, 4))
	code(t, err, fault.Invalid)
}

func create(t *testing.T, ctx context.Context, d backup.Driver) {
	if err := d.Create(ctx, "a/b", []byte("first")); err != nil {
		t.Fatal(err)
	}
	code(t, d.Create(ctx, "a/b", []byte("second")), fault.Conflict)
	want(t, d, "a/b", []byte("first"))
	var all sync.WaitGroup
	var mu sync.Mutex
	var won []string
	for i := range 8 {
		all.Go(func() {
			me := fmt.Sprint("node ", i)
			err := d.Create(ctx, "race/x", []byte(me))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, me)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Fatalf("%d created it", len(won))
	}
	want(t, d, "race/x", []byte(won[0]))
}

func list(t *testing.T, _ context.Context, d backup.Driver) {
	if got := keys(t, d, "not/there", "", 10); len(got) != 0 {
		t.Errorf("an empty folder holds %v", got)
	}
	var names []string
	for i := range 20 {
		name := fmt.Sprintf("a/b/%02d", (i*7)%20)
		names = append(names, name)
		put(t, d, name, []byte(name))
	}
	put(t, d, "a/bb/x", nil)
	put(t, d, "a/b/deeper/x", nil)
	slices.Sort(names)
	if got := keys(t, d, "a/b", "", 100); !slices.Equal(got, names) {
		t.Errorf("all: %v", got)
	}
	if got := keys(t, d, "a/b", "a/b/04", 3); !slices.Equal(got, names[5:8]) {
		t.Errorf("three after the fifth: %v", got)
	}
	if got := keys(t, d, "a/b", "a/b/19", 3); len(got) != 0 {
		t.Errorf("after the last: %v", got)
	}
	_ = d.List(t.Context(), "a/b", "", func(o backup.Object) bool {
		if o.Bytes != int64(len(o.Key)) {
			t.Errorf("%s has %d bytes", o.Key, o.Bytes)
		}
		return true
	})
}

func remove(t *testing.T, ctx context.Context, d backup.Driver) {
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprint("c/data/x/", i))
		put(t, d, many[i], []byte("x"))
	}
	put(t, d, "c/data/y/1", []byte("y"))
	for range 2 {
		if err := d.Delete(ctx, append(many, "c/data/x/never")); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Delete(ctx, nil); err != nil {
		t.Error(err)
	}
	if got := keys(t, d, "c/data/x", "", 10); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	want(t, d, "c/data/y/1", []byte("y"))
}

// atOnce: some store where others take away.
func atOnce(t *testing.T, _ context.Context, d backup.Driver) {
	put(t, d, "c/data/0/stays", nil)
	put(t, d, "c/data/1/stays", nil)
	StoreAndDelete(t, d)
}

// StoreAndDelete has some store and take away in two folders.
func StoreAndDelete(t *testing.T, d backup.Driver) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 10 {
				key := fmt.Sprintf("c/data/%d/%d", i%2, i*100+n)
				if err := d.Put(t.Context(), key, []byte(key)); err != nil {
					t.Error(err)
				}
				want(t, d, key, []byte(key))
				if err := d.Delete(t.Context(), []string{key}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func cancelled(t *testing.T, ctx context.Context, d backup.Driver) {
	put(t, d, "a/b", []byte("x"))
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	code(t, d.Put(ctx, "a/c", []byte("x")), fault.Timeout)
	_, err := d.Get(ctx, "a/b", make([]byte, 0, 10))
	code(t, err, fault.Timeout)
}
