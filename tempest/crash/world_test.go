package crash

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/jackc/pgx/v5"

	"clinker/db"
	"clinker/tempest/rig"
)

// world is all that must agree in the end.
type world struct {
	cloud  *rig.Cloud
	db     *db.DB
	client *gophercloud.ServiceClient
}

// problem is something that does not agree; volume is "" when it is about none.
type problem struct{ volume, text string }

// eventually repeats a look at the world until there is no problem, and at the
// limit tells the story of each volume that has one.
func (w *world) eventually(t *testing.T, when string, look func(t *testing.T) []problem) {
	t.Helper()
	begin := time.Now()
	for {
		problems := look(t)
		if len(problems) == 0 {
			t.Logf("%s: all agreed after %.1f s", when, time.Since(begin).Seconds())
			return
		}
		if time.Since(begin) < settle {
			time.Sleep(250 * time.Millisecond)
			continue
		}
		told := map[string]bool{"": true}
		for _, p := range problems {
			t.Errorf("%s, within %s: %s", when, settle, p.text)
			if !told[p.volume] && len(told) < 5 {
				t.Log(w.story(t, p.volume))
			}
			told[p.volume] = true
		}
		t.FailNow()
	}
}

// show tells how many volumes and attachments there are by status.
func (w *world) show(t *testing.T) {
	t.Helper()
	for _, p := range w.query(t, `SELECT '', count(*) || ' volumes ' || status FROM volumes WHERE deleted_at IS NULL GROUP BY status
		UNION ALL SELECT '', count(*) || ' attachments ' || attach_status FROM attachments WHERE deleted_at IS NULL GROUP BY attach_status`) {
		t.Log(p.text)
	}
}

// unsettled lists what is not at rest, and what does not agree.
func (w *world) unsettled(t *testing.T) []problem {
	t.Helper()
	problems := slices.Concat(w.moving(t), w.unexplained(t), w.jobs(t), w.counters(t))
	vs := w.volumes(t)
	for _, n := range w.cloud.Nodes {
		problems = slices.Concat(problems, files(t, n, vs), w.exports(t, n))
	}
	return problems
}

// moving finds volumes and attachments that wait for somebody other than their
// user. A volume whose attachment has its connection info and is attaching waits
// for its host to complete it.
func (w *world) moving(t *testing.T) []problem {
	return w.query(t, `SELECT id::text, 'volume ' || id || ' is ' || status FROM volumes
		WHERE deleted_at IS NULL AND status NOT IN
			('available', 'in-use', 'reserved', 'attaching', 'error', 'error_extending')
		UNION ALL SELECT volume_id::text, 'attachment ' || id || ' of volume ' || volume_id || ' is ' || attach_status
		FROM attachments WHERE deleted_at IS NULL AND
			(attach_status NOT IN ('reserved', 'attaching', 'attached', 'error_attaching')
			OR attach_status = 'attaching' AND connection_info IS NULL)`)
}

// unexplained finds volumes in error of which their user was not told why.
func (w *world) unexplained(t *testing.T) []problem {
	return w.query(t, `SELECT id::text, 'volume ' || id || ' is ' || status || ' and no message says why'
		FROM volumes v WHERE deleted_at IS NULL AND starts_with(status, 'error')
		AND NOT EXISTS (SELECT FROM messages m WHERE m.resource_uuid = v.id)`)
}

// jobs finds jobs that are not done.
func (w *world) jobs(t *testing.T) []problem {
	return w.query(t, `SELECT COALESCE(args->>'volume_id', ''), 'job ' || id || ' ' || kind || ' is ' || state || ': ' || args::text
		FROM river_job WHERE state NOT IN ('completed', 'cancelled')`)
}

// counters finds quotas and pools that do not recount to the same.
func (w *world) counters(t *testing.T) []problem {
	t.Helper()
	quota, err := w.db.RecountQuota(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pools, err := w.db.RecountPools(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var problems []problem
	for _, d := range append(quota, pools...) {
		problems = append(problems, problem{"", d.String()})
	}
	return problems
}

// volume is a live row.
type volume struct {
	id, name, status, host string
	sizeGiB                int64
	file                   string // "" when no node has it
}

// volumes reads all live volumes.
func (w *world) volumes(t *testing.T) []volume {
	t.Helper()
	rows, err := w.cloud.DB.Query(t.Context(), `SELECT id::text, COALESCE(name, ''), status, COALESCE(host, ''), size_gib
		FROM volumes WHERE deleted_at IS NULL`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v volume, err error) {
		return v, row.Scan(&v.id, &v.name, &v.status, &v.host, &v.sizeGiB)
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range all {
		for _, n := range w.cloud.Nodes {
			if strings.HasPrefix(v.host, n.Name+"@") && v.status != "error" {
				all[i].file = filepath.Join(n.Volumes, "volume-"+v.id)
			}
		}
	}
	return all
}

// files compares a node's directory with the rows: each volume has its file, of
// its size, and there is nothing else, trash neither.
func files(t *testing.T, n *rig.Node, vs []volume) (problems []problem) {
	t.Helper()
	wanted := map[string]volume{}
	for _, v := range vs {
		if filepath.Dir(v.file) == n.Volumes {
			wanted[filepath.Base(v.file)] = v
		}
	}
	entries, err := os.ReadDir(n.Volumes)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		v, ok := wanted[e.Name()]
		delete(wanted, e.Name())
		info, err := e.Info()
		switch {
		case err != nil || e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case !ok:
			problems = append(problems, problem{idIn(e.Name()), fmt.Sprintf("%s has %s, which no row knows", n.Name, e.Name())})
		case info.Size() != v.sizeGiB<<30:
			problems = append(problems, problem{v.id, fmt.Sprintf("%s has %s of %d bytes, the row says %d GiB",
				n.Name, e.Name(), info.Size(), v.sizeGiB)})
		}
	}
	for name, v := range wanted {
		problems = append(problems, problem{v.id, fmt.Sprintf("%s has no %s; the volume is %s", n.Name, name, v.status)})
	}
	return problems
}

var uuidIn = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func idIn(name string) string { return uuidIn.FindString(name) }

// query reads problems as pairs of volume and text.
func (w *world) query(t *testing.T, sql string) []problem {
	t.Helper()
	rows, err := w.cloud.DB.Query(context.WithoutCancel(t.Context()), sql)
	if err != nil {
		t.Fatal(err)
	}
	problems, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p problem, err error) {
		return p, row.Scan(&p.volume, &p.text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return problems
}
