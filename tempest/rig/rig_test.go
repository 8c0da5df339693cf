package rig

import (
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

func TestDevEndsWithAllItStarted(t *testing.T) {
	t.Parallel()
	d := StartDev(t, "--nodes", "2")
	if len(d.Left()) < 3 {
		t.Errorf("%q are too few: clinker, PostgreSQL, two tgtd", d.Left())
	}
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if status := d.Process.ExitStatus(); status != 0 {
		t.Errorf("exit status %d: %s", status, d.Said())
	}
	Eventually(t, 5*time.Second, func() error { return nothing(d.Left()) })
}

func TestRolesComeBack(t *testing.T) {
	t.Parallel()
	c := Start(t, Options{Nodes: 2})
	since := time.Now()
	for _, r := range c.Roles() {
		r.Kill()
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
	}
	c.AwaitPools(t, since)
}
