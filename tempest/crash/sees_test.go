package crash

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/db"
	"clinker/tempest/rig"
)

// TestWorldSees spoils the world in each of the ways that the crash test looks
// for: a look that finds nothing must be one that would have found it.
func TestWorldSees(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{})
	d, err := db.Open(t.Context(), cloud.Postgres.URL("clinker"), 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	client := cloud.Client(t, rig.NewProject())
	w := &world{cloud: cloud, db: d, client: client}
	host := rig.NewHost(t, client)
	free := rig.NewVolume(t, client, volumes.CreateOpts{Size: 1})
	used := rig.NewVolume(t, client, volumes.CreateOpts{Size: 1})
	host.Attach(t, used.ID, "rw")
	w.eventually(t, "in the beginning", w.unsettled)

	cloud.Scheduler.Kill() // it would mend
	for _, s := range []struct{ says, spoil, mend string }{
		{"is extending", "UPDATE volumes SET status = 'extending' WHERE id = '$free'", "UPDATE volumes SET status = 'available' WHERE id = '$free'"},
		{"no message says why", "UPDATE volumes SET status = 'error' WHERE id = '$free'", "UPDATE volumes SET status = 'available' WHERE id = '$free'"},
		{"the row says 2 GiB", "UPDATE volumes SET size_gib = 2 WHERE id = '$free'", "UPDATE volumes SET size_gib = 1 WHERE id = '$free'"},
		{"gigabytes is counted as 3 and is 2", "UPDATE quota_usages SET in_use = in_use + 1 WHERE resource = 'gigabytes'",
			"UPDATE quota_usages SET in_use = in_use - 1 WHERE resource = 'gigabytes'"},
		{"bytes is counted as 2147483649", "UPDATE pools SET allocated_bytes = allocated_bytes + 1", "UPDATE pools SET allocated_bytes = allocated_bytes - 1"},
		{"is detaching", "UPDATE attachments SET attach_status = 'detaching'", "UPDATE attachments SET attach_status = 'attached'"},
		{"which should not be", "UPDATE attachments SET deleted_at = now()", "UPDATE attachments SET deleted_at = NULL"},
		{"does not export volume $free", "UPDATE attachments SET volume_id = '$free'", "UPDATE attachments SET volume_id = '$used'"},
	} {
		fill := strings.NewReplacer("$free", free.ID, "$used", used.ID).Replace
		w.wants(t, fill(s.says), w.execute(fill(s.spoil)), w.execute(fill(s.mend)))
	}

	node := cloud.Nodes[0]
	file := filepath.Join(node.Volumes, "volume-"+free.ID)
	stray := filepath.Join(node.Volumes, "volume-"+uuid.NewString())
	w.wants(t, "which no row knows", func() error { return os.WriteFile(stray, nil, 0o600) }, func() error { return os.Remove(stray) })
	w.wants(t, "has no volume-"+free.ID, func() error { return os.Rename(file, file+".away") }, func() error { return os.Rename(file+".away", file) })
	w.wants(t, "to which nobody is attached", tgtadm(t, node, "new", "-T", "iqn.2010-10.org.openstack:volume-"+uuid.NewString()), tgtadm(t, node, "delete"))
}

// wants spoils something, looks, and mends it.
func (w *world) wants(t *testing.T, says string, spoil, mend func() error) {
	t.Helper()
	if err := spoil(); err != nil {
		t.Fatal(err)
	}
	problems := w.unsettled(t)
	if !slices.ContainsFunc(problems, func(p problem) bool { return strings.Contains(p.text, says) }) {
		t.Errorf("nobody says %q: %v", says, problems)
	}
	if err := mend(); err != nil {
		t.Fatal(err)
	}
}

func (w *world) execute(sql string) func() error {
	return func() error {
		_, err := w.cloud.DB.Exec(context.Background(), sql)
		return err
	}
}

func tgtadm(t *testing.T, n *rig.Node, op string, more ...string) func() error {
	return func() error {
		_, err := n.Tgtadm(t.Context(), append([]string{"--op", op, "--mode", "target", "--tid", "99"}, more...)...)
		return err
	}
}
