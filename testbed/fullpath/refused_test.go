package fullpath

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/attachments"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/internal/run"
	"clinker/tempest/rig"
)

// grant is what an attachment gives a machine to log in with.
type grant struct {
	id                                 string
	target, portal, username, password string
}

// grantTo asks for an attachment for a machine, without clinker attach.
func (p *path) grantTo(t *testing.T, volume string, m *client) grant {
	t.Helper()
	a, err := attachments.Create(t.Context(), p.user, attachments.CreateOpts{
		VolumeUUID: volume, InstanceUUID: uuid.NewString(), Mode: "rw",
		Connector: map[string]any{"initiator": m.iqn, "host": m.Name(), "ip": "10.0.2.15", "multipath": false,
			"os_type": "linux", "platform": "x86_64", "do_local_attach": false},
	}).Extract()
	check(t, err)
	text := func(name string) string { return fmt.Sprint(a.ConnectionInfo[name]) }
	return grant{a.ID, text("target_iqn"), text("target_portal"), text("auth_username"), text("auth_password")}
}

// login logs in by hand, with a fresh record.
func (m *client) login(t *testing.T, g grant) error {
	t.Helper()
	update := ""
	for _, s := range [][2]string{{"auth.authmethod", "CHAP"}, {"auth.username", g.username}, {"auth.password", g.password},
		{"initial_login_retry_max", "1"}} {
		update += fmt.Sprintf("$adm -o update -n node.session.%s -v %s\n", s[0], s[1])
	}
	_, err := m.Script(t.Context(), g.adm()+"$adm -o new -I default >&2\n"+update+"$adm --login >&2")
	return err
}

// adm sets $adm to the beginning of an iscsiadm command line.
func (g grant) adm() string {
	return fmt.Sprintf("adm='iscsiadm -m node -T %s -p %s'\n", g.target, g.portal)
}

// forget ends a session, if there is one, and removes the record.
func (m *client) forget(t *testing.T, g grant) {
	t.Helper()
	m.Run(t, g.adm()+"$adm --logout >&2 || true\n$adm -o delete")
}

// wantRefused checks that a login fails for what it shows, not for something
// else (24 is iscsiadm's word for it).
func (m *client) wantRefused(t *testing.T, why string, g grant) {
	t.Helper()
	err := m.login(t, g)
	var exit *run.ExitError
	if !errors.As(err, &exit) || exit.Status != 24 {
		t.Errorf("guest %s, %s: login gave %v, want iscsiadm's status 24", m.Name(), why, err)
	}
	m.forget(t, g)
}

// refused tries every way in but the right one.
func (p *path) refused(t *testing.T) {
	v := rig.NewVolume(t, p.user, volumes.CreateOpts{Size: 1, VolumeType: "thin"})
	g := p.grantTo(t, v.ID, p.first)
	if n := len(g.password); n < 12 {
		t.Fatalf("the password has %d characters", n)
	}
	wrong := g
	wrong.password = "wrongwrongwrongwrong"
	p.first.wantRefused(t, "wrong password", wrong)
	wrong = g
	wrong.username = "nobody"
	p.first.wantRefused(t, "wrong username", wrong)
	p.second.wantRefused(t, "another initiator with the right password", g)
	check(t, p.first.login(t, g))

	p.refusesAfterDetach(t, v.ID, g)
	rig.DeleteVolume(t, p.user, v.ID)
}

// refusesAfterDetach deletes the attachment under a live session: when the API
// has answered, the session has lost its target, and the password opens nothing.
func (p *path) refusesAfterDetach(t *testing.T, volume string, old grant) {
	t.Helper()
	check(t, attachments.Delete(t.Context(), p.user, old.id).ExtractErr())
	if left := p.node.exports(t); strings.Contains(left, p.first.iqn) {
		t.Errorf("exports after the attachment was deleted: %s", left)
	}
	p.first.forget(t, old)
	next := p.grantTo(t, volume, p.first)
	if next.password == old.password || next.username == old.username {
		t.Error("two attachments have the same username or password")
	}
	stale := next
	stale.username, stale.password = old.username, old.password
	p.first.wantRefused(t, "the username and password of a deleted attachment", stale)
	check(t, p.first.login(t, next))
	p.first.forget(t, next)
	check(t, attachments.Delete(t.Context(), p.user, next.id).ExtractErr())
}
