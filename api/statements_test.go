package api

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"clinker/db"
)

// counter notes the statements that a server sends to the database.
type counter struct {
	mu         sync.Mutex
	statements []string
}

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The schedulers are woken behind a request's answer, in the background.
	if q.SQL != "-- ping" && q.SQL != ";" && !strings.Contains(q.SQL, "pg_notify") {
		c.statements = append(c.statements, q.SQL)
	}
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *counter) TraceBatchStart(ctx context.Context, conn *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	for _, q := range b.Batch.QueuedQueries {
		c.TraceQueryStart(ctx, conn, pgx.TraceQueryStartData{SQL: q.SQL})
	}
	return ctx
}

func (c *counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *counter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.statements
	c.statements = nil
	return taken
}

// A list costs at most three statements, and as many for thirty rows as for one.
func TestListsCostThreeStatements(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{} })
	seen := &counter{}
	traced, err := db.Open(t.Context(), w.db.Pool().Config().ConnString(), 2, db.Traced(seen))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(traced.Close)
	options := w.server.Options
	options.DB = traced
	if w.server, err = New(options); err != nil {
		t.Fatal(err)
	}
	lists := []string{
		"member@71 /volumes?limit=20", "member@71 /volumes/detail?with_count=true", "admin@71 /volumes/detail?all_tenants=1&with_count=1&sort=name:asc",
		"member@71 /volumes/detail?metadata={'a':'b'}&limit=20", "member@71 /attachments", "member@71 /attachments/detail", "member@71 /messages", "member@71 /types", "admin@71 /os-services",
		"admin@71 /scheduler-stats/get_pools?detail=1", "member@71 /os-availability-zone", "member@71 /os-quota-sets/" + ownProject + "?usage=1", "member@71 /limits", "member@71 /volumes/summary",
		"admin@71 /qos-specs", "admin@71 /default-types", "admin@71 " + w.typePlaces()["type.access"].path[3:], "admin@71 " + w.typePlaces()["qos.associations"].path[3:],
		"member@71 /snapshots?limit=20", "admin@71 /snapshots/detail?all_tenants=1&with_count=1&sort=name:asc&host=node1", "member@71 /snapshots/detail?metadata={'a':'1'}",
		"admin@71 /manageable_volumes?host=node1@lvm", "admin@71 /manageable_snapshots/detail?host=node1@lvm%23pool", "admin /os-volume-manage/detail?host=node1@lvm&sort=size",
		"admin /os-hosts", "admin /os-hosts/node1@lvm", "admin@71 /os-services", "admin /capabilities/node1@lvm",
		"member@71 /groups?limit=20", "admin@71 /groups/detail?list_volume=true&all_tenants=1", "member@71 /group_snapshots", "admin@71 /group_snapshots/detail?sort=name:asc&status=available",
		"member@71 /consistencygroups/detail?limit=20", "member@71 /cgsnapshots/detail", "member@71 /group_types?limit=20", "member@71 /volume-transfers?limit=20", "member@71 /backups?limit=20", "admin@71 /backups/detail?all_tenants=1&with_count=1&sort=name:asc", "admin@71 /backups/detail?num_dependent_backups=0", "admin@71 /os-volume-transfer/detail?all_tenants=1&sort=display_name:asc",
	}
	cost := func() [][]string {
		var all [][]string
		for _, list := range lists {
			persona, path, _ := strings.Cut(list, " ")
			seen.take()
			w.do(persona, "GET", "/v3"+path, "").want(t, 200)
			statements := seen.take()
			if len(statements) == 0 || len(statements) > 3 {
				t.Errorf("%s: %d statements:\n%s", list, len(statements), strings.Join(statements, "\n"))
			}
			all = append(all, statements)
		}
		return all
	}
	const one = "{used}{message}{type}{snapshot}{transfer}{grouptype}{private}{luks}{qos}{member}{groupsnapshot}{cgmember}{cgsnapshot}{backup}{increment}"
	w.script().fill(one)
	few := cost()
	for range 10 {
		w.script().fill(one)
	}
	for i, many := range cost() {
		if len(many) != len(few[i]) {
			t.Errorf("%s: for few rows\n%s\nfor many\n%s", lists[i], strings.Join(few[i], "\n"), strings.Join(many, "\n"))
		}
	}
}
