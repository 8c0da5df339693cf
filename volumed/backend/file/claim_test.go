package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clinker/internal/fault"
)

// TestTwoNodes: a directory is one node's, until somebody says that it is not.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "volumes")
	for _, step := range []struct {
		owner string
		ok    bool
	}{{"", true}, {"node1", true}, {"node1", true}, {"node2", false}, {"node1", true}, {"", true}} {
		b, err := Open(Options{Directory: directory, Owner: step.owner})
		if err == nil {
			err = b.unlock()
		}
		if step.ok && err != nil || !step.ok && (!fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), "storage node node1, and this one is node2")) {
			t.Errorf("%q: %v", step.owner, err)
		}
	}
	if err := os.Remove(filepath.Join(directory, ownerFile)); err != nil {
		t.Fatal(err)
	}
	b, err := Open(Options{Directory: directory, Owner: "node2"})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := b.Manageable(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	if left, err := os.ReadDir(directory); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

// TestTwoProcesses: two that have the same name, by mistake, do not take away what the
// other is making; when the one has ended, the other can have the directory.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "volumes")
	node := Options{Directory: directory, Owner: "node1"}
	first, err := Open(node)
	if err != nil {
		t.Fatal(err)
	}
	made := first.halfMade("volume-00000000-0000-4000-8000-000000000001")
	if err := os.WriteFile(made, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(node); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := os.Stat(made); err != nil {
		t.Error(err)
	}
	if err := first.unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(node); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(made); !os.IsNotExist(err) {
		t.Errorf("what a crash left is there: %v", err)
	}
}
