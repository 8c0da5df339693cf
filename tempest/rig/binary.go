package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// binaryVariable names a clinker that is built already; make test-host sets it.
const binaryVariable = "CLINKER_BINARY"

var built struct {
	once sync.Once
	path string
	err  error
	said []byte
}

// Binary gives the path of the program under test: the one that CLINKER_BINARY
// names, or one built for this test process.
func Binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if path := os.Getenv(binaryVariable); path != "" {
			_, built.err = os.Stat(path)
			built.path = path
			return
		}
		build()
	})
	if built.err != nil {
		t.Fatalf("the program under test: %v: %s", built.err, built.said)
	}
	return built.path
}

// build makes the binary in a directory that Main removes.
func build() {
	_, self, _, _ := runtime.Caller(0)
	if built.path, built.err = os.MkdirTemp("", "clinker-build-"); built.err != nil {
		return
	}
	scratch = append(scratch, built.path)
	built.path = filepath.Join(built.path, "clinker")
	c := exec.Command("go", "build", "-o", built.path, "./cmd/clinker")
	c.Dir = filepath.Join(filepath.Dir(self), "..", "..")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	built.said, built.err = c.CombinedOutput()
}

// scratch are directories that the whole test process shares.
var scratch []string

// Main runs a package's tests and removes what they shared: for TestMain.
func Main(m *testing.M) {
	code := m.Run()
	for _, dir := range scratch {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}
