// Package keystest is what every keys.Store must do.
package keystest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/internal/keys"
)

// Rig is a store and two projects that may use it.
type Rig struct {
	Store      keys.Store
	One, Other keys.Bearer
}

// Run holds a store against its contract.
func Run(t *testing.T, r Rig) {
	for name, test := range map[string]func(*testing.T, Rig){
		"a key is what was put there": roundTrip, "an empty place is no key": emptyPlace, "a place is filled once": once,
		"others' keys": others, "Clinker's own": service, "deleted": deleted, "at once": together,
	} {
		t.Run(name, func(t *testing.T) { test(t, r) })
	}
}

// Made is a key in a store.
func Made(t testing.TB, s keys.Store, b keys.Bearer, bits int) (string, keys.Key) {
	t.Helper()
	spec := keys.Spec{Name: "volume-" + uuid.NewString(), Algorithm: "aes", Bits: bits}
	k, err := keys.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.Reserve(t.Context(), b, spec)
	if err == nil {
		err = s.Fill(t.Context(), b, id, k)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := uuid.Parse(id); err != nil {
		t.Fatalf("the id %q is no UUID", id)
	}
	return id, k
}

func reads(t *testing.T, s keys.Store, b keys.Bearer, id string, want keys.Key) {
	t.Helper()
	got, err := s.Key(t.Context(), b, id)
	if err != nil || !bytes.Equal(got.Material, want.Material) || got.Algorithm != want.Algorithm {
		t.Errorf("the key read as %s is not the one that was put there: %d bits, %v", b, got.Bits(), err)
	}
}

func refused(t *testing.T, what string, err error) {
	t.Helper()
	if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Forbidden) {
		t.Errorf("%s: %v", what, err)
	}
}

func roundTrip(t *testing.T, r Rig) {
	for _, bits := range []int{128, 256, 512} {
		id, k := Made(t, r.Store, r.One, bits)
		reads(t, r.Store, r.One, id, k)
	}
}

func emptyPlace(t *testing.T, r Rig) {
	id, err := r.Store.Reserve(t.Context(), r.One, keys.Spec{Name: "empty", Algorithm: "aes", Bits: 256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Store.Key(t.Context(), r.One, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("an empty place is read: %v", err)
	}
	if err := r.Store.Delete(t.Context(), r.One, id); err != nil {
		t.Errorf("an empty place is deleted: %v", err)
	}
	if _, err := r.Store.Key(t.Context(), r.One, uuid.NewString()); !fault.Is(err, fault.NotFound) {
		t.Errorf("a key that never was: %v", err)
	}
}

func once(t *testing.T, r Rig) {
	id, k := Made(t, r.Store, r.One, 256)
	another, err := keys.New(keys.Spec{Algorithm: "aes", Bits: 256})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Store.Fill(t.Context(), r.One, id, another); !fault.Is(err, fault.Conflict) {
		t.Errorf("a full place is filled: %v", err)
	}
	reads(t, r.Store, r.One, id, k)
}

func others(t *testing.T, r Rig) {
	id, k := Made(t, r.Store, r.One, 256)
	_, err := r.Store.Key(t.Context(), r.Other, id)
	refused(t, "another project reads", err)
	_ = r.Store.Delete(t.Context(), r.Other, id) // an error or none: the key stays
	reads(t, r.Store, r.One, id, k)
	if r.Store.Trusted() {
		reads(t, r.Store, keys.Service, id, k)
	}
}

func service(t *testing.T, r Rig) {
	id, k := Made(t, r.Store, keys.Service, 256)
	reads(t, r.Store, keys.Service, id, k)
	_, err := r.Store.Key(t.Context(), r.One, id)
	refused(t, "a project reads a key of Clinker's own", err)
	if err := r.Store.Delete(t.Context(), keys.Service, id); err != nil {
		t.Error(err)
	}
}

func deleted(t *testing.T, r Rig) {
	id, _ := Made(t, r.Store, r.One, 256)
	for range 2 {
		if err := r.Store.Delete(t.Context(), r.One, id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Store.Key(t.Context(), r.One, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("a deleted key: %v", err)
	}
	if err := r.Store.Delete(t.Context(), keys.Service, id); err != nil {
		t.Errorf("Clinker deletes what is gone: %v", err)
	}
}

func together(t *testing.T, r Rig) {
	var running sync.WaitGroup
	for i := range 4 {
		running.Go(func() {
			spec := keys.Spec{Name: fmt.Sprint("together-", i), Algorithm: "aes", Bits: 256}
			k, _ := keys.New(spec)
			id, err := r.Store.Reserve(context.WithoutCancel(t.Context()), r.One, spec)
			if err == nil {
				err = r.Store.Fill(t.Context(), r.One, id, k)
			}
			if err != nil {
				t.Error(err)
				return
			}
			reads(t, r.Store, r.One, id, k)
		})
	}
	running.Wait()
}
