package testbed_test

import (
	"os"
	"path/filepath"
	"testing"

	"clinker/testbed"
)

// verdict keeps a test's failures to itself.
type verdict struct {
	testing.TB
	failed bool
}

func (v *verdict) Errorf(format string, args ...any) {
	v.failed = true
	v.Logf("as it should: "+format, args...)
}

// testRunTests gives the guest programs that end as test binaries do.
func testRunTests(t *testing.T, vm *testbed.VM) {
	for name, test := range map[string]struct {
		script string
		failed bool
	}{
		"passed":       {"echo '--- PASS: TestIt (0.00s)'; echo PASS", false},
		"failed":       {"echo '--- PASS: TestIt (0.00s)'; echo '--- FAIL: TestThat (0.00s)'; exit 1", true},
		"skipped":      {"echo '--- SKIP: TestIt (0.00s)'; echo PASS", true},
		"without ends": {"printf -- '--- PASS: TestIt'", false},
		"arguments":    {`[ "$1" = -test.v ] && [ "$3" = -test.run=X ] && echo '--- PASS: TestIt'`, false},
	} {
		t.Run(name, func(t *testing.T) {
			binary := filepath.Join(t.TempDir(), "it.test")
			if err := os.WriteFile(binary, []byte("#!/bin/sh\n"+test.script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			v := &verdict{TB: t}
			vm.RunTests(v, binary, "-test.run=X")
			if v.failed != test.failed {
				t.Errorf("failed: %v, want %v", v.failed, test.failed)
			}
		})
	}
}
