package rig

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// LoseDatabase has the control plane begin anew with an empty database, and returns
// when all pools are known to it. The storage nodes run on meanwhile.
func (c *Cloud) LoseDatabase(t testing.TB) {
	t.Helper()
	c.Scheduler.Kill()
	c.API.Kill()
	c.DB.Close()
	if err := c.Postgres.Exec(t.Context(), fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", database)); err != nil {
		t.Fatal(err)
	}
	c.openDatabase(t)
	c.migrate(t, filepath.Join(c.Dir, "control.conf"))
	since := time.Now()
	for _, r := range []*Role{c.Scheduler, c.API} {
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
	}
	c.AwaitPools(t, since)
}
