package routes

import (
	"os"
	"strings"
	"testing"
)

// TestPersonasKnowEveryRoute: the table of who may do what (policy.TestOperations)
// has every route of the contract, with its rules.
func TestPersonasKnowEveryRoute(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../policy/testdata/operations.tsv")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		known[columns[0]] = strings.Join(strings.Fields(columns[1]), "; ")
	}
	for name, w := range contract(t) {
		if w.policy != known[name] {
			t.Errorf("%s: policy/testdata/operations.tsv has %q, the contract %q", name, known[name], w.policy)
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("%s is in policy/testdata/operations.tsv only", name)
	}
}
