package keys_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/keys/keystest"
)

// memory is a table that is gone with the test.
type memory struct {
	mu   sync.Mutex
	rows map[string]keys.Sealed
}

func (m *memory) InsertKey(_ context.Context, row keys.Sealed) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[row.ID] = row
	return nil
}

func (m *memory) FillKey(_ context.Context, id string, sealed []byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, found := m.rows[id]
	if !found || row.Sealed != nil {
		return false, nil
	}
	row.Sealed = sealed
	m.rows[id] = row
	return true, nil
}

func (m *memory) SealedKey(_ context.Context, id string) (keys.Sealed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, found := m.rows[id]
	if !found {
		return row, fault.New(fault.NotFound, "none")
	}
	return row, nil
}

func (m *memory) DeleteKey(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, id)
	return nil
}

func ring(t *testing.T, path string) *keys.Ring {
	t.Helper()
	if _, err := keys.MakeFile(path); err != nil {
		t.Fatal(err)
	}
	r, err := keys.ReadRing(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func bearer(project string) keys.Bearer {
	return keys.Bearer{Token: "t-" + project, ProjectID: project, UserID: "u"}
}

func TestLocal(t *testing.T) {
	t.Parallel()
	store := keys.NewLocal(&memory{rows: map[string]keys.Sealed{}}, ring(t, filepath.Join(t.TempDir(), "key-file")))
	keystest.Run(t, keystest.Rig{Store: store, One: bearer("one"), Other: bearer("other")})
}

// What is in the table tells nothing, opens nowhere else, and notices changes.
func TestSealed(t *testing.T) {
	t.Parallel()
	table := &memory{rows: map[string]keys.Sealed{}}
	path := filepath.Join(t.TempDir(), "key-file")
	store := keys.NewLocal(table, ring(t, path))
	id, k := keystest.Made(t, store, bearer("one"), 256)
	if strings.Contains(string(table.rows[id].Sealed), string(k.Material[:8])) {
		t.Fatal("the table has the key")
	}
	for what, change := range map[string]func(*keys.Sealed){
		"another project's": func(s *keys.Sealed) { s.ProjectID = "other" },
		"another key's":     func(s *keys.Sealed) { s.Bits = 128 },
		"another byte":      func(s *keys.Sealed) { s.Sealed = append([]byte(nil), s.Sealed...); s.Sealed[len(s.Sealed)-1] ^= 1 },
		"cut":               func(s *keys.Sealed) { s.Sealed = s.Sealed[:10] },
		"form":              func(s *keys.Sealed) { s.Sealed = append([]byte{9}, s.Sealed[1:]...) },
	} {
		changed := &memory{rows: maps.Clone(table.rows)}
		row := changed.rows[id]
		change(&row)
		changed.rows[id] = row
		_, err := keys.NewLocal(changed, ring(t, path)).Key(t.Context(), keys.Service, id)
		if !fault.Is(err, fault.Internal) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := keys.NewLocal(table, ring(t, filepath.Join(t.TempDir(), "another"))).Key(t.Context(), keys.Service, id)
	if !fault.Is(err, fault.Internal) {
		t.Errorf("another key file opens it: %v", err)
	}
}

// A further key seals what comes, and the first one opens what it sealed.
func TestAddKey(t *testing.T) {
	t.Parallel()
	table := &memory{rows: map[string]keys.Sealed{}}
	path := filepath.Join(t.TempDir(), "key-file")
	first := ring(t, path)
	id, k := keystest.Made(t, keys.NewLocal(table, first), bearer("one"), 256)
	if err := keys.AddKey(path); err != nil {
		t.Fatal(err)
	}
	now := keys.NewLocal(table, ring(t, path))
	got, err := now.Key(t.Context(), bearer("one"), id)
	if err != nil || string(got.Material) != string(k.Material) {
		t.Fatal(err)
	}
	later, _ := keystest.Made(t, now, bearer("one"), 256)
	if _, err := keys.NewLocal(table, first).Key(t.Context(), bearer("one"), later); !fault.Is(err, fault.Internal) {
		t.Errorf("the older key opens what the newer one sealed: %v", err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
}

func TestKeyFileIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, f := range map[string]struct {
		text string
		mode os.FileMode
		code fault.Code
	}{
		"open": {"", 0o644, fault.Forbidden}, "empty": {"# nothing\n", 0o600, fault.Invalid}, "short": {"YWJj\n", 0o600, fault.Invalid}, "no base64": {"!!\n", 0o600, fault.Invalid},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(f.text), f.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.ReadRing(path); !fault.Is(err, f.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := keys.ReadRing(filepath.Join(dir, "none")); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// Nothing prints a key or a token.
func TestStars(t *testing.T) {
	t.Parallel()
	k, err := keys.New(keys.Spec{Algorithm: "aes", Bits: 256})
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(k)
	b := bearer("one")
	all := fmt.Sprintf("%v %+v %#v %s %x %s", k, k, k, k.Material, k.Material.String(), raw) + fmt.Sprintf("%v %+v %#v %s", b, b, b, b.LogValue())
	for _, secret := range []string{k.Passphrase(), string(k.Material), b.Token} {
		if strings.Contains(all, secret) {
			t.Errorf("printed: %s", all)
		}
	}
	for _, bits := range []int{0, -8, 63, 65, 1 << 20} {
		if _, err := keys.New(keys.Spec{Bits: bits}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}

// The store that others are tested with keeps the contract too.
func TestStrict(t *testing.T) {
	t.Parallel()
	keystest.Run(t, keystest.Rig{Store: keystest.NewStrict(), One: bearer("one"), Other: bearer("other")})
}
