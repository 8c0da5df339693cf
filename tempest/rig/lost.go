package rig

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// LoseDatabase has the control plane begin anew with an empty database, and returns
// when all pools are known to it. The storage nodes run on meanwhile.
func (c *Cloud) LoseDatabase(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	c.Scheduler.Kill()
	c.API.Kill()
	c.DB.Close()
	if err := c.Postgres.Exec(ctx, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", database)); err != nil {
		t.Fatal(err)
	}
	if err := c.Postgres.EnsureDatabase(ctx, database); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.DB, err = pgxpool.New(context.WithoutCancel(ctx), c.Postgres.URL(database)); err != nil {
		t.Fatal(err)
	}
	c.migrate(t, filepath.Join(c.Dir, "control.conf"))
	since := time.Now()
	for _, r := range []*Role{c.Scheduler, c.API} {
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
	}
	c.AwaitPools(t, since)
}
