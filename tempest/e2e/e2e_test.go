package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
	"clinker/volumed/target"
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
		"SecretsStayHidden":           secretsStayHidden,
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
	first, second := rig.NewHost(t, c), rig.NewHost(t, c)

	a := first.Attach(t, v.ID, "rw")
	rig.AwaitVolume(t, c, v.ID, "in-use")
	s := first.Open(t, a.Login)
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

	first.Detach(t, a)
	dead(t, s)
	first.Refused(t, "after the detach", a.Login)
	rig.AwaitVolume(t, c, v.ID, "available")

	b := second.Attach(t, v.ID, "rw")
	s2 := second.Open(t, b.Login)
	wantSize(t, s2, 2*gib)
	verify(t, s2, gib)
	if err := s2.Verify(t.Context(), 2*gib-mib, mib, 0xd4); err != nil {
		t.Error(err)
	}
	first.Refused(t, "with the first attachment's credentials, while the second is there", a.Login)
	second.Detach(t, b)
	rig.DeleteVolume(t, c, v.ID)
}

func credentialsAreTheirOwn(t *testing.T, _ *rig.Cloud, c *gophercloud.ServiceClient) {
	mine := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	other := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := rig.NewHost(t, c)
	a, b := h.Attach(t, mine.ID, "rw"), h.Attach(t, other.ID, "rw")
	if a.Login.Username == b.Login.Username || a.Login.Password == b.Login.Password || a.Login.IQN == b.Login.IQN {
		t.Error("two attachments share a username, a password or a target")
	}
	h.Open(t, a.Login)

	change := func(f func(*targettest.Login)) targettest.Login {
		l := a.Login
		f(&l)
		return l
	}
	h.Refused(t, "wrong password", with(a.Login, "wrongwrongwrong"))
	h.Refused(t, "no CHAP", change(func(l *targettest.Login) { l.Username, l.Password = "", "" }))
	h.Refused(t, "unknown user", change(func(l *targettest.Login) { l.Username = "nobody" }))
	h.Refused(t, "another volume's user", change(func(l *targettest.Login) { l.Username, l.Password = b.Login.Username, b.Login.Password }))
	h.Refused(t, "wrong initiator", change(func(l *targettest.Login) { l.Name = "iqn.1993-08.org.debian:01:stranger" }))
	h.Detach(t, a)
	h.Detach(t, b)
}

// with is a login with another password.
func with(l targettest.Login, password target.Secret) targettest.Login {
	l.Password = password
	return l
}

func cloneHasTheData(t *testing.T, _ *rig.Cloud, c *gophercloud.ServiceClient) {
	source := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := rig.NewHost(t, c)
	a := h.Attach(t, source.ID, "rw")
	s := h.Open(t, a.Login)
	write(t, s, gib)
	s.Logout()
	h.Detach(t, a)

	clone := rig.NewVolume(t, c, volumes.CreateOpts{Size: 2, SourceVolID: source.ID})
	if clone.SourceVolID != source.ID {
		t.Errorf("source_volid is %q, want %q", clone.SourceVolID, source.ID)
	}
	rig.DeleteVolume(t, c, source.ID)
	b := h.Attach(t, clone.ID, "rw")
	s = h.Open(t, b.Login)
	wantSize(t, s, 2*gib)
	verify(t, s, gib)
	if err := s.Verify(t.Context(), gib, mib, 0); err != nil {
		t.Errorf("behind the source's end: %v", err)
	}
	h.Detach(t, b)
}

func deletedBytes(t *testing.T, cloud *rig.Cloud, c *gophercloud.ServiceClient) {
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := rig.NewHost(t, c)
	a := h.Attach(t, v.ID, "rw")
	s := h.Open(t, a.Login)
	write(t, s, gib)
	s.Logout()
	h.Detach(t, a)
	rig.DeleteVolume(t, c, v.ID)
	h.Refused(t, "a deleted volume", a.Login)
	rig.Eventually(t, 30*time.Second, func() error { return absent(cloud.Nodes[0].Volumes, v.ID) })

	next := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	b := h.Attach(t, next.ID, "rw")
	s = h.Open(t, b.Login)
	pattern(t, gib, func(off, n int64, _ byte) error { return s.Verify(t.Context(), off, n, 0) })
	h.Detach(t, b)
}

func readOnly(t *testing.T, _ *rig.Cloud, c *gophercloud.ServiceClient) {
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := rig.NewHost(t, c)
	a := h.Attach(t, v.ID, "ro")
	l := a.Login
	l.ReadOnly = true
	s := h.Open(t, l)
	if err := s.Verify(t.Context(), 0, mib, 0); err != nil {
		t.Error(err)
	}
	if s, err := h.Try(t, a.Login); err == nil {
		defer s.Logout()
		if err := s.Write(t.Context(), 0, 4096, 1); err == nil {
			t.Error("a read-only attachment was written to")
		}
	}
	h.Detach(t, a)
}

// absent is an error while the backend's directory has a file of the volume.
func absent(dir, id string) error {
	found, err := filepath.Glob(filepath.Join(dir, "*"+id+"*"))
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("%v are still there", found)
	}
	return err
}
