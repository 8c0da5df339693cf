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
		_, err := Open(Options{Directory: directory, Owner: step.owner})
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
