//go:build tempest

package upstream

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"clinker/tempest/rig"
)

var (
	update = flag.Bool("update", false, "write down what passed")
	only   = flag.String("only", `^(tempest\.api\.volume|cinder_tempest_plugin\.api)`, "a regular expression of the tests to run")
	state  = flag.String("state", "", "the directory for logs and results, emptied before")
)

const expectedFile = "testdata/expected.txt"

func TestMain(m *testing.M) { rig.Main(m) }

// TestTempest is the only one: everything that it starts is there for it.
func TestTempest(t *testing.T) {
	dir := *state
	if dir == "" {
		dir = t.TempDir()
	}
	k := bringUp(t, dir)
	began := time.Now()
	run(t, k)
	got := report(t, dir)
	expected := lines(t, expectedFile)
	fmt.Print(differences())
	fmt.Printf("%s, %d expected to pass, in %s\n", got.table(expected), len(expected), time.Since(began).Round(time.Second))
	if *update {
		write(t, expectedFile, strings.Join(got.having("pass"), "\n")+"\n")
		return
	}
	if *only != flag.Lookup("only").DefValue { // a part: what else is expected did not run
		expected = slices.DeleteFunc(expected, func(id string) bool { _, ran := got[id]; return !ran })
	}
	for _, what := range got.stopped(expected) {
		t.Errorf("expected to pass: %s", what)
	}
}

// bringUp brings Keystone, Glance and Clinker with two nodes up.
func bringUp(t *testing.T, dir string) *keystone {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "lock"), 0o755); err != nil {
		t.Fatal(err)
	}
	k := startKeystone(t, dir)
	startGlance(t, k)
	cloud := rig.Start(t, rig.Options{Nodes: 2, NodeSettings: "volume_backend_name = {node}", Settings: settings, Backups: true,
		Keystone: &rig.Keystone{AuthURL: k.url(), Username: "cinder", Password: k.password}})
	k.announce(t, "block-storage", "cinder", cloud.Endpoint+"/$(project_id)s")
	k.configure(t, k.addImage(t))
	return k
}

// settings are what Tempest wants of the configuration.
const settings = `quota_volumes = -1
quota_snapshots = -1
quota_gigabytes = -1
quota_groups = -1`

// run runs the tests, two at a time, with one line for each as it ends. That
// some fail is no error of the run.
func run(t *testing.T, k *keystone) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "stestr", "run", "--concurrency", "2", "--exclude-regex", differing(), *only)
	if _, err := os.Stat(filepath.Join(k.dir, ".stestr")); err != nil {
		k.stestr(t, "init")
	}
	command.Dir, command.Env = k.dir, k.environment()
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil && command.ProcessState.ExitCode() != 1 {
		t.Fatalf("stestr: %v", err)
	}
}

func (k *keystone) stestr(t *testing.T, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "stestr", args...)
	command.Dir, command.Env = k.dir, k.environment()
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("stestr: %v: %s", err, said)
	}
}

func (k *keystone) environment() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=" + k.dir, "PYTHON=/usr/bin/python3",
		"TEMPEST_CONFIG_DIR=" + k.dir, "TEMPEST_CONFIG=tempest.conf", "PYTHONWARNINGS=ignore"}
}

// report turns the last run into results.
func report(t *testing.T, dir string) results {
	t.Helper()
	convert := exec.CommandContext(t.Context(), "sh", "-ec", "stestr last --subunit >run.subunit || true; subunit2junitxml run.subunit >run.xml || true; cat run.xml")
	convert.Dir = dir
	text, err := convert.Output()
	if err != nil {
		t.Fatal(err)
	}
	r, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !(*update && os.IsNotExist(err)) {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}
