package throttle

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"clinker/testbed/guest"
	"clinker/volumed/target"
	"clinker/volumed/target/lio"
	"clinker/volumed/target/targettest"
)

const (
	prefix = "iqn.2010-10.org.openstack:"
	mib    = int64(1) << 20
)

// TestLimitsAHost writes to and reads from a logical volume over iSCSI, without a
// limit, with one of 1 MiB a second, and after it was lifted. 8 MiB cannot pass such a
// limit in less than some 7 s, and without it take a fraction of one; what is
// compared leaves room for a machine that is slow.
func TestLimitsAHost(t *testing.T) {
	guest.Require(t)
	c, err := Open(Options{MountPoint: filepath.Join(t.TempDir(), "blkio")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(c.root, 0); err != nil {
			t.Error(err)
		}
	})
	again, err := Open(Options{MountPoint: "/nowhere"})
	if err != nil || again.root != c.root {
		t.Fatalf("a second look: %+v, %v; want the one that is mounted", again, err)
	}
	device := targettest.LogicalVolume(t, 64*mib)
	session := logIn(t, device.Path)
	took := func(do func() error) time.Duration {
		t.Helper()
		begun := time.Now()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		return time.Since(begun)
	}
	write := func() error { return session.Write(t.Context(), 0, 8*mib, 7) }
	read := func() error { return session.Verify(t.Context(), 0, 8*mib, 7) }

	freeWrite, freeRead := took(write), took(read)
	if err := c.Set(device.Path, Limits{ReadBytesSec: mib, WriteBytesSec: mib}); err != nil {
		t.Fatal(err)
	}
	number, err := numberOf(device.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{readBytes, writeBytes} {
		if has, _ := os.ReadFile(filepath.Join(c.root, file)); !strings.Contains(string(has), number+" 1048576\n") {
			t.Errorf("%s: %q", file, has)
		}
	}
	heldWrite, heldRead := took(write), took(read)
	if err := c.Set(device.Path, Limits{}); err != nil {
		t.Fatal(err)
	}
	liftedWrite := took(write)
	if has, _ := os.ReadFile(filepath.Join(c.root, writeBytes)); strings.Contains(string(has), number+" ") {
		t.Errorf("after lifting: %q", has)
	}
	t.Logf("8 MiB: written in %v, with a limit in %v, without in %v; read in %v, with a limit in %v", freeWrite, heldWrite, liftedWrite, freeRead, heldRead)
	if least := 4 * time.Second; heldWrite < least || heldRead < least || heldWrite < 2*liftedWrite || heldRead < 2*freeRead {
		t.Error("the limit was not kept to")
	}
}

// logIn exports the device through LIO and gives a session of it.
func logIn(t *testing.T, device string) targettest.Session {
	t.Helper()
	tg := lio.New(lio.Options{Portals: []string{"127.0.0.1:3260"}, Prefix: prefix})
	e := target.Export{IQN: prefix + "volume-held", Serial: "held", Device: device, Grants: []target.Grant{
		{Initiator: "iqn.1993-08.org.debian:01:alice", Username: "alice", Password: "0123456789abcdef"}}}
	at, err := tg.Apply(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tg.Remove(context.Background(), e.IQN); err != nil {
			t.Error(err)
		}
	})
	session, err := targettest.NewOpenISCSI(t).Login(t.Context(), targettest.Login{Address: at, IQN: e.IQN,
		Name: e.Grants[0].Initiator, Username: "alice", Password: e.Grants[0].Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Logout)
	return session
}
