package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
	"clinker/volumed/target/targettest"
)

const (
	mib = int64(1) << 20
	gib = int64(1) << 30
)

func TestVolumes(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{})
	for name, test := range map[string]func(*testing.T, *rig.Cloud, *gophercloud.ServiceClient){
		"DataSurvivesItsMachine":      dataSurvives,
		"CredentialsAreTheirOwn":      credentialsAreTheirOwn,
		"CloneHasTheData":             cloneHasTheData,
		"DeletedBytesAreNotReadAgain": deletedBytes,
		"ReadOnlyRefusesWrites":       readOnly,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, cloud, cloud.Client(t, rig.NewProject()))
		})
	}
}

// pattern is what each test writes: three places, the ends of the disk among them.
func pattern(t *testing.T, size int64, do func(off, n int64, fill byte) error) {
	t.Helper()
	for _, p := range []struct {
		off, n int64
		fill   byte
	}{{0, mib, 0xa1}, {size/2 - 4096, 8192, 0xb2}, {size - mib, mib, 0xc3}} {
		if err := do(p.off, p.n, p.fill); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, s targettest.Session, size int64) {
	t.Helper()
	pattern(t, size, func(off, n int64, fill byte) error { return s.Write(t.Context(), off, n, fill) })
}

func verify(t *testing.T, s targettest.Session, size int64) {
	t.Helper()
	pattern(t, size, func(off, n int64, fill byte) error { return s.Verify(t.Context(), off, n, fill) })
}

func wantSize(t *testing.T, s targettest.Session, want int64) {
	t.Helper()
	if got, err := s.Size(t.Context()); err != nil || got != want {
		t.Errorf("the initiator sees %d bytes, want %d (%v)", got, want, err)
	}
}

// dataSurvives is the founding story without a guest in it.
func dataSurvives(t *testing.T, _ *rig.Cloud, c *gophercloud.ServiceClient) {
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1, Name: "story"})
	first, second := newHost(t, c), newHost(t, c)

	a := first.attach(t, v.ID)
	rig.AwaitVolume(t, c, v.ID, "in-use")
	s := first.open(t, a.login)
	wantSize(t, s, gib)
	if serial, err := s.Serial(t.Context()); err != nil || serial != v.ID {
		t.Errorf("serial %q (%v), want the volume's id", serial, err)
	}
	write(t, s, gib)

	if err := volumes.ExtendSize(t.Context(), c, v.ID, volumes.ExtendSizeOpts{NewSize: 2}).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	if v := rig.AwaitVolume(t, c, v.ID, "in-use"); v.Size != 2 {
		t.Errorf("the API says %d GiB after extending to 2", v.Size)
	}
	wantSize(t, s, 2*gib)
	verify(t, s, gib)
	if err := s.Write(t.Context(), 2*gib-mib, mib, 0xd4); err != nil {
		t.Error(err)
	}

	first.detach(t, a)
	dead(t, s)
	first.refused(t, "after the detach", a.login)
	rig.AwaitVolume(t, c, v.ID, "available")

	b := second.attach(t, v.ID)
	s2 := second.open(t, b.login)
	wantSize(t, s2, 2*gib)
	verify(t, s2, gib)
	if err := s2.Verify(t.Context(), 2*gib-mib, mib, 0xd4); err != nil {
		t.Error(err)
	}
	first.refused(t, "with the first attachment's credentials, while the second is there", a.login)
	second.detach(t, b)
	rig.DeleteVolume(t, c, v.ID)
}

func credentialsAreTheirOwn(t *testing.T, _ *rig.Cloud, c *gophercloud.ServiceClient) {
	mine := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	other := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := newHost(t, c)
	a, b := h.attach(t, mine.ID), h.attach(t, other.ID)
	if a.login.Username == b.login.Username || a.login.Password == b.login.Password || a.login.IQN == b.login.IQN {
		t.Error("two attachments share a username, a password or a target")
	}
	h.open(t, a.login)

	change := func(f func(*targettest.Login)) targettest.Login {
		l := a.login
		f(&l)
		return l
	}
	h.refused(t, "wrong password", change(func(l *targettest.Login) { l.Password = "wrongwrongwrong" }))
	h.refused(t, "no CHAP", change(func(l *targettest.Login) { l.Username, l.Password = "", "" }))
	h.refused(t, "unknown user", change(func(l *targettest.Login) { l.Username = "nobody" }))
	h.refused(t, "another volume's user", change(func(l *targettest.Login) { l.Username, l.Password = b.login.Username, b.login.Password }))
	h.refused(t, "wrong initiator", change(func(l *targettest.Login) { l.Name = "iqn.1993-08.org.debian:01:stranger" }))
	h.detach(t, a)
	h.detach(t, b)
}

func cloneHasTheData(t *testing.T, _ *rig.Cloud, c *gophercloud.ServiceClient) {
	source := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := newHost(t, c)
	a := h.attach(t, source.ID)
	s := h.open(t, a.login)
	write(t, s, gib)
	s.Logout()
	h.detach(t, a)

	clone := rig.NewVolume(t, c, volumes.CreateOpts{Size: 2, SourceVolID: source.ID})
	if clone.SourceVolID != source.ID {
		t.Errorf("source_volid is %q, want %q", clone.SourceVolID, source.ID)
	}
	rig.DeleteVolume(t, c, source.ID)
	b := h.attach(t, clone.ID)
	s = h.open(t, b.login)
	wantSize(t, s, 2*gib)
	verify(t, s, gib)
	if err := s.Verify(t.Context(), gib, mib, 0); err != nil {
		t.Errorf("behind the source's end: %v", err)
	}
	h.detach(t, b)
}

func deletedBytes(t *testing.T, cloud *rig.Cloud, c *gophercloud.ServiceClient) {
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := newHost(t, c)
	a := h.attach(t, v.ID)
	s := h.open(t, a.login)
	write(t, s, gib)
	s.Logout()
	h.detach(t, a)
	rig.DeleteVolume(t, c, v.ID)
	h.refused(t, "a deleted volume", a.login)
	rig.Eventually(t, 30*time.Second, func() error { return absent(cloud.Nodes[0].Volumes, v.ID) })

	next := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	b := h.attach(t, next.ID)
	s = h.open(t, b.login)
	pattern(t, gib, func(off, n int64, _ byte) error { return s.Verify(t.Context(), off, n, 0) })
	h.detach(t, b)
}

func readOnly(t *testing.T, _ *rig.Cloud, c *gophercloud.ServiceClient) {
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := newHost(t, c)
	a := h.attachMode(t, v.ID, "ro")
	l := a.login
	l.ReadOnly = true
	s := h.open(t, l)
	if err := s.Verify(t.Context(), 0, mib, 0); err != nil {
		t.Error(err)
	}
	if s, err := h.qemu.Login(t.Context(), a.login); err == nil {
		if err := s.Write(t.Context(), 0, 4096, 1); err == nil {
			t.Error("a read-only attachment was written to")
		}
		s.Logout()
	}
	h.detach(t, a)
}

// absent is an error while the backend's directory has a file of the volume.
func absent(dir, id string) error {
	found, err := filepath.Glob(filepath.Join(dir, "*"+id+"*"))
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("%v are still there", found)
	}
	return err
}
