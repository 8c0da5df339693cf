package policy

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// edited is a policy file under the hands of an operator.
type edited struct {
	*testing.T
	path  string
	saves int
	*Enforcer
}

// save writes the file; each time is later than the one before.
func (f *edited) save(content string) {
	f.Helper()
	f.saves++
	at := time.Unix(1_700_000_000+int64(f.saves), 0)
	if err := os.WriteFile(f.path, []byte(content), 0o600); err != nil {
		f.Fatal(err)
	}
	if err := os.Chtimes(f.path, at, at); err != nil {
		f.Fatal(err)
	}
}

// reload looks until the file has been the same twice.
func (f *edited) reload() (fresh bool, err error) {
	f.Helper()
	for range 2 {
		if fresh, _, err = f.Reload(); fresh || err != nil {
			return fresh, err
		}
	}
	return false, nil
}

func (f *edited) creates() bool {
	c := Credentials{UserID: "u", ProjectID: "p", Roles: []string{"reader"}}
	return f.Check("volume:create", c, Own(c))
}

func edit(t *testing.T, content string) *edited {
	f := &edited{T: t, path: filepath.Join(t.TempDir(), "policy.yaml")}
	if content != "" {
		f.save(content)
	}
	var err error
	if f.Enforcer, _, err = New(Options{File: f.path, EnforceNewDefaults: true}); err != nil {
		t.Fatal(err)
	}
	return f
}

const readersCreate = `"volume:create": "role:reader"`

func TestReload(t *testing.T) {
	t.Parallel()
	f := edit(t, readersCreate)
	if fresh, err := f.reload(); fresh || err != nil || !f.creates() {
		t.Errorf("unchanged: %v %v", fresh, err)
	}
	f.save(`"volume:create": "role:member"`)
	if fresh, err := f.reload(); !fresh || err != nil || f.creates() {
		t.Errorf("changed: %v %v", fresh, err)
	}
	if fresh, err := f.reload(); fresh || err != nil {
		t.Errorf("once: %v %v", fresh, err)
	}
}

// TestReloadKeepsTheLastGoodRules: each state of the file is told of once.
func TestReloadKeepsTheLastGoodRules(t *testing.T) {
	t.Parallel()
	for what, hurt := range map[string]func(*edited){
		"no YAML":            func(f *edited) { f.save(`"volume:create": [`) },
		"no rule":            func(f *edited) { f.save(`"volume:create": "rule:nobody"`) },
		"a rule of itself":   func(f *edited) { f.save(`"volume:create": "rule:volume:create"`) },
		"gone":               func(f *edited) { _ = os.Remove(f.path) },
		"a directory":        func(f *edited) { _ = os.Remove(f.path); _ = os.Mkdir(f.path, 0o700) },
		"too long":           func(f *edited) { f.save("# " + strings.Repeat("x", longestFile)) },
		"a check of nothing": func(f *edited) { f.save(`"volume:create":`) },
	} {
		t.Run(what, func(t *testing.T) {
			f := edit(t, readersCreate)
			hurt(f)
			if fresh, err := f.reload(); fresh || err == nil || !strings.Contains(err.Error(), "policy") {
				t.Errorf("%v %v", fresh, err)
			}
			if !f.creates() {
				t.Error("the good rules are gone")
			}
			for range 3 {
				if _, err := f.reload(); err != nil {
					t.Errorf("told again: %v", err)
				}
			}
			_ = os.Remove(f.path)
			f.save(`"volume:create": "!"`)
			if fresh, err := f.reload(); !fresh || err != nil || f.creates() {
				t.Errorf("mended: %v %v", fresh, err)
			}
		})
	}
}

// TestReloadOfANewFile: there was none when the process started.
func TestReloadOfANewFile(t *testing.T) {
	t.Parallel()
	f := edit(t, "")
	if fresh, err := f.reload(); fresh || err != nil || f.creates() {
		t.Errorf("none: %v %v", fresh, err)
	}
	f.save(readersCreate)
	if fresh, err := f.reload(); !fresh || err != nil || !f.creates() {
		t.Errorf("new: %v %v", fresh, err)
	}
}

// TestReloadAwaitsTheEnd: a file that has been emptied to be written is one of
// defaults, for a moment.
func TestReloadAwaitsTheEnd(t *testing.T) {
	t.Parallel()
	f := edit(t, readersCreate)
	f.save("")
	if fresh, _, err := f.Reload(); fresh || err != nil || !f.creates() {
		t.Errorf("half: %v %v", fresh, err)
	}
	f.save(readersCreate + "\n")
	if fresh, _, err := f.Reload(); fresh || err != nil || !f.creates() {
		t.Errorf("just written: %v %v", fresh, err)
	}
	if fresh, _, err := f.Reload(); !fresh || err != nil || !f.creates() {
		t.Errorf("whole: %v %v", fresh, err)
	}
}

func TestReloadBesideChecks(t *testing.T) {
	t.Parallel()
	f := edit(t, readersCreate)
	var checking sync.WaitGroup
	for range 4 {
		checking.Go(func() {
			for range 1000 {
				f.creates()
				f.Rules()
			}
		})
	}
	for range 20 {
		f.save(readersCreate)
		if _, err := f.reload(); err != nil {
			t.Error(err)
		}
	}
	checking.Wait()
}
