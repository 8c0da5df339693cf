package crash

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/pki"
	"clinker/tempest/rig"
	"clinker/volumed/rpc"
)

// exports compares who may log in at a node: as the rows say, as volumed's
// journal says, and as tgtd itself says.
func (w *world) exports(t *testing.T, n *rig.Node) (problems []problem) {
	t.Helper()
	wanted := w.grants(t, n)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	journal, err := w.node(t, n).Exports(ctx, rpc.PoolName(rig.Backend, rig.Backend))
	if err != nil {
		return []problem{{"", fmt.Sprintf("%s does not tell its exports: %v", n.Name, err)}}
	}
	said, err := n.Tgtadm(ctx, "--op", "show", "--mode", "target")
	if err != nil {
		t.Fatal(err)
	}
	targets := targetsOf(said)
	unasked := slices.Clone(targets)
	has := map[string]bool{}
	for _, e := range journal {
		has[e.AttachmentID] = true
		if wanted[e.AttachmentID] != e.VolumeID {
			problems = append(problems, problem{e.VolumeID, fmt.Sprintf("%s lets %s in to volume %s for attachment %s, which should not be",
				n.Name, e.Initiator, e.VolumeID, e.AttachmentID)})
		} else if !e.Present {
			problems = append(problems, problem{e.VolumeID, fmt.Sprintf("the target on %s lacks attachment %s of volume %s", n.Name, e.AttachmentID, e.VolumeID)})
		}
	}
	for attachment, volume := range wanted {
		if !has[attachment] {
			problems = append(problems, problem{volume, fmt.Sprintf("%s has lost attachment %s of volume %s", n.Name, attachment, volume)})
		}
		if !slices.Contains(targets, volume) {
			problems = append(problems, problem{volume, fmt.Sprintf("tgtd on %s does not export volume %s", n.Name, volume)})
		}
		unasked = without(unasked, volume)
	}
	for _, id := range unasked {
		problems = append(problems, problem{id, fmt.Sprintf("tgtd on %s exports volume %s, to which nobody is attached", n.Name, id)})
	}
	return problems
}

// grants reads which attachments a node must let in: attachment to volume.
func (w *world) grants(t *testing.T, n *rig.Node) map[string]string {
	t.Helper()
	rows, err := w.cloud.DB.Query(t.Context(), `SELECT a.id::text, a.volume_id::text FROM attachments a JOIN volumes v ON v.id = a.volume_id
		WHERE a.deleted_at IS NULL AND a.connection_info IS NOT NULL AND a.attach_status IN ('attaching', 'attached')
		AND starts_with(v.host, $1)`, n.Name+"@")
	if err != nil {
		t.Fatal(err)
	}
	grants := map[string]string{}
	var attachment, volume string
	if _, err := pgx.ForEachRow(rows, []any{&attachment, &volume}, func() error { grants[attachment] = volume; return nil }); err != nil {
		t.Fatal(err)
	}
	return grants
}

var targetLine = regexp.MustCompile(`(?m)^Target \d+: \S+:volume-(\S+)$`)

func targetsOf(said string) (ids []string) {
	for _, m := range targetLine.FindAllStringSubmatch(said, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// node calls a node's volumed as the scheduler does.
func (w *world) node(t *testing.T, n *rig.Node) rpc.Volumed {
	t.Helper()
	file := func(name string) string { return filepath.Join(w.cloud.PKI(), name) }
	config, err := pki.ClientTLS(file("ca.crt"), file("scheduler.crt"), file("scheduler.key"), pki.Volumed)
	if err != nil {
		t.Fatal(err)
	}
	return rpc.NewPool(config).Node(n.Endpoint)
}

// remains lists what is left where nothing should be.
func (w *world) remains(t *testing.T) []problem {
	t.Helper()
	problems := w.query(t, `SELECT id::text, 'volume ' || id || ' is ' || status FROM volumes WHERE deleted_at IS NULL
		UNION ALL SELECT volume_id::text, 'attachment ' || id || ' is ' || attach_status FROM attachments WHERE deleted_at IS NULL
		UNION ALL SELECT '', 'project ' || project_id || ' uses ' || in_use || ' ' || resource FROM quota_usages WHERE in_use <> 0
		UNION ALL SELECT '', 'pool ' || name || ' has promised ' || allocated_bytes || ' bytes' FROM pools WHERE allocated_bytes <> 0`)
	problems = slices.Concat(problems, w.jobs(t))
	for _, n := range w.cloud.Nodes {
		problems = slices.Concat(problems, files(t, n, nil), w.exports(t, n))
	}
	return problems
}

// story is all that is known of a volume: its history, its attachments, its
// jobs, and what the logs say.
func (w *world) story(t *testing.T, id string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "the story of volume %s:\n", id)
	for _, p := range w.query(t, fmt.Sprintf(`SELECT '', to_char(at, 'HH24:MI:SS.MS') || '  history ' || generation || ' ' || status || ' (' || reason || ')' AS line
		FROM volume_history WHERE volume_id = '%[1]s'
		UNION ALL SELECT '', to_char(COALESCE(updated_at, created_at), 'HH24:MI:SS.MS') || '  attachment ' || id || ' ' || attach_status || ' generation ' || generation || COALESCE(' deleted ' || deleted_at, '')
		FROM attachments WHERE volume_id = '%[1]s'
		UNION ALL SELECT '', to_char(created_at, 'HH24:MI:SS.MS') || '  job ' || id || ' ' || kind || ' ' || state || ' attempt ' || attempt || COALESCE(' errors ' || errors[array_upper(errors, 1)]::text, '')
		FROM river_job WHERE args->>'volume_id' = '%[1]s' ORDER BY 2`, id)) {
		fmt.Fprintln(&b, "  "+p.text)
	}
	for _, r := range w.cloud.Roles() {
		for _, line := range r.LogLines(id, 12) {
			fmt.Fprintf(&b, "  %s: %s\n", r.Name, line)
		}
	}
	return b.String()
}
