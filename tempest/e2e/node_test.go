package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
	"clinker/volumed/target/targettest"
)

// TestNodeDies kills what runs on a storage node, part by part, while a machine
// is at work on its volume.
func TestNodeDies(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{})
	node := cloud.Nodes[0]
	c := cloud.Client(t, rig.NewProject())
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := rig.NewHost(t, c)
	a := h.Attach(t, v.ID, "rw")
	s := h.Open(t, a.Login)
	write(t, s, gib)

	before := sessions(t, node)
	node.Kill()
	if err := s.Write(t.Context(), 8*mib, mib, 0x11); err != nil {
		t.Errorf("write while volumed is dead: %v", err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	rig.Eventually(t, rig.Settle, func() error { return s.Verify(t.Context(), 8*mib, mib, 0x11) })
	if after := sessions(t, node); after != before || before == "" {
		t.Errorf("the session did not outlive volumed: %q, then %q", before, after)
	}

	// As after a power cut: the iSCSI daemon is new and knows nothing.
	node.Kill()
	node.KillTgtd()
	node.StartTgtd(t)
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	s.Logout()
	var again targettest.Session
	rig.Eventually(t, rig.Settle, func() (err error) { again, err = h.Try(t, a.Login); return err })
	defer again.Logout()
	verify(t, again, gib)
	if err := again.Verify(t.Context(), 8*mib, mib, 0x11); err != nil {
		t.Error(err)
	}
	h.Refused(t, "wrong password after the restart", with(a.Login, "wrongwrongwrong"))
	h.Detach(t, a)
	dead(t, again)
}

var nexus = regexp.MustCompile(`I_T nexus: \d+`)

// sessions are those that tgtd has, by its numbers, which a new login raises.
func sessions(t *testing.T, n *rig.Node) string {
	t.Helper()
	said, err := n.Tgtadm(t.Context(), "--op", "show", "--mode", "target")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(nexus.FindAllString(said, -1), ", ")
}
