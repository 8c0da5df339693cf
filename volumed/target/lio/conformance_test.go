package lio

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/testbed/guest"
	"clinker/volumed/target"
	"clinker/volumed/target/targettest"
)

const portal = "127.0.0.1:3260"

func suite(t *testing.T) targettest.Suite {
	guest.Require(t)
	if err := Available(); err != nil {
		t.Fatal(err)
	}
	return targettest.Suite{
		Prefix: prefix,
		Open: func(t *testing.T, prefix string) target.Target {
			return New(Options{Portals: []string{portal}, Prefix: prefix})
		},
		Initiator:     targettest.NewOpenISCSI(t),
		Device:        targettest.LogicalVolume,
		Cheap:         targettest.FileDevice(nil),
		Sessions:      sessionsOf,
		Interruptions: interruptions(),
	}
}

// TestConformance exports logical volumes.
func TestConformance(t *testing.T) { targettest.Run(t, suite(t)) }

// TestConformanceFiles exports files: the cases in which they differ.
func TestConformanceFiles(t *testing.T) {
	s := suite(t)
	s.Device = targettest.FileDevice(nil)
	targettest.Run(t, s, "Login", "ReadOnlyAndWritable", "ApplyAgain", "Grow", "GrowUnderLoad", "RemoveWithSession", "List")
}

// TestRestoredStore: a backstore of the export's name that another program made, as
// targetcli does when it restores what it has saved, holds the device. It gives way.
func TestRestoredStore(t *testing.T) {
	s := suite(t)
	e := target.Export{IQN: prefix + "volume-restored", Serial: "restored", Device: s.Device(t, 64<<20).Path}
	fs := tree{defaultRoot}
	store := "core/iblock_7/" + e.IQN
	for _, err := range []error{fs.mkdir("core/iblock_7"), fs.mkdir(store), fs.write(store+"/control", "udev_path="+e.Device), fs.write(store+"/enable", "1")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tg := New(Options{Portals: []string{portal}, Prefix: prefix})
	if _, err := tg.Apply(t.Context(), e); err != nil {
		t.Error(err)
	}
	if err := tg.Remove(t.Context(), e.IQN); err != nil {
		t.Error(err)
	}
}

// TestIPv6Portal logs in over IPv6.
func TestIPv6Portal(t *testing.T) {
	s := suite(t)
	e := target.Export{IQN: prefix + "volume-six", Serial: "six", Device: s.Device(t, 64<<20).Path, Grants: []target.Grant{
		{Initiator: "iqn.1993-08.org.debian:01:alice", Username: "alice", Password: "0123456789abcdef"}}}
	tg := New(Options{Portals: []string{"[::1]:3260"}, Prefix: prefix})
	a, err := tg.Apply(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tg.Remove(context.Background(), e.IQN); err != nil {
			t.Error(err)
		}
	}()
	session, err := s.Initiator.Login(t.Context(), targettest.Login{Address: a, IQN: e.IQN,
		Name: e.Grants[0].Initiator, Username: "alice", Password: e.Grants[0].Password})
	if err != nil {
		t.Fatal(err)
	}
	session.Logout()
}

// TestPortalInUse: the port is somebody else's.
func TestPortalInUse(t *testing.T) {
	s := suite(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e := target.Export{IQN: prefix + "volume-away", Serial: "away", Device: s.Device(t, 64<<20).Path}
	tg := New(Options{Portals: []string{l.Addr().String()}, Prefix: prefix})
	if _, err := tg.Apply(t.Context(), e); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want Unavailable", err)
	}
	if err := tg.Remove(t.Context(), e.IQN); err != nil {
		t.Error(err)
	}
}

// TestDeviceInUse: a device that is exported is not exported once more.
func TestDeviceInUse(t *testing.T) {
	s := suite(t)
	d := s.Device(t, 64<<20)
	other := New(Options{Portals: []string{portal}, Prefix: prefix})
	e := target.Export{IQN: prefix + "volume-one", Serial: "one", Device: d.Path}
	if _, err := other.Apply(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	again := e
	again.IQN = prefix + "volume-two"
	if _, err := other.Apply(t.Context(), again); !fault.Is(err, fault.Busy) {
		t.Errorf("exported twice: %v, want Busy", err)
	}
	for _, iqn := range []string{again.IQN, e.IQN} {
		if err := other.Remove(t.Context(), iqn); err != nil {
			t.Error(err)
		}
	}
}

// TestKernelIsQuiet runs last, and fails if the kernel found fault with
// anything that the tests before it did.
func TestKernelIsQuiet(t *testing.T) {
	guest.Require(t)
	log := make([]byte, 1<<20)
	n, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, log)
	if err != nil {
		t.Fatal(err)
	}
	log = initiatorsOwn.ReplaceAll(log[:n], nil)
	for _, bad := range []string{"Call Trace", "BUG:", "blocked for more than"} {
		if at := bytes.Index(log, []byte(bad)); at >= 0 {
			t.Errorf("the kernel says\n%s", log[max(0, at-2000):min(len(log), at+2000)])
		}
	}
}

// initiatorsOwn is a warning of the initiator that the tests log in with, which
// shares the guest's kernel: on a slow machine a logout meets the disk's power
// management (Linux 6.1, scsi_transport_iscsi). The target has no part in it.
var initiatorsOwn = regexp.MustCompile(`(?s)workqueue: WQ_MEM_RECLAIM iscsi_ctrl_[0-9:]+__iscsi_unbind_session[^\n]*pm_runtime_work\b.*?---\[ end trace`)

func TestInitiatorsOwn(t *testing.T) {
	t.Parallel()
	const warning = "[ cut here ]\nworkqueue: WQ_MEM_RECLAIM iscsi_ctrl_0:71:__iscsi_unbind_session [scsi_transport_iscsi] is flushing !WQ_MEM_RECLAIM pm:pm_runtime_work\nCall Trace:\n x\n---[ end trace 0 ]---\n"
	left := string(initiatorsOwn.ReplaceAll([]byte(warning+"Call Trace:\n iscsi_target_mod\n---[ end trace 0 ]---\n"+warning), nil))
	if strings.Count(left, "Call Trace") != 1 || !strings.Contains(left, "iscsi_target_mod") {
		t.Error(left)
	}
}

var sessionID = regexp.MustCompile(`LIO Session ID: (\d+)`)

// sessionsOf asks the kernel who is logged in.
func sessionsOf(t *testing.T, iqn string) []string {
	t.Helper()
	infos, err := filepath.Glob(filepath.Join(defaultRoot, "iscsi", iqn, "tpgt_1/acls/*/info"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, path := range infos {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range sessionID.FindAllSubmatch(b, -1) {
			all = append(all, fmt.Sprintf("%s %s", filepath.Base(filepath.Dir(path)), m[1]))
		}
	}
	return all
}

// interruptions breaks Apply and Remove off after some of their operations;
// TestBrokenOff does so after each, but has no kernel.
func interruptions() []targettest.Interruption {
	var all []targettest.Interruption
	for _, n := range []int{2, 9, 14, 21} {
		all = append(all, targettest.Interruption{Name: fmt.Sprintf("Apply%d", n), Make: func(t *testing.T, e target.Export) {
			tg := New(Options{Portals: []string{portal}, Prefix: prefix})
			tg.fs = &counted{configfs: tg.fs, budget: n}
			if _, err := tg.Apply(t.Context(), e); err == nil {
				t.Fatalf("%d operations were enough", n)
			}
		}})
	}
	for _, n := range []int{1, 4, 9} {
		all = append(all, targettest.Interruption{Name: fmt.Sprintf("Remove%d", n), Make: func(t *testing.T, e target.Export) {
			tg := New(Options{Portals: []string{portal}, Prefix: prefix})
			if _, err := tg.Apply(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			tg.fs = &counted{configfs: tg.fs, budget: n}
			if err := tg.Remove(t.Context(), e.IQN); err == nil {
				t.Fatalf("%d operations were enough", n)
			}
		}})
	}
	return all
}

// counted lets so many operations happen and fails from there on.
type counted struct {
	configfs
	budget int
}

func (c *counted) spend() error {
	if c.budget == 0 {
		return unix.EIO
	}
	c.budget--
	return nil
}

func (c *counted) write(path, value string) error {
	if err := c.spend(); err != nil {
		return err
	}
	return c.configfs.write(path, value)
}

func (c *counted) mkdir(path string) error {
	if _, err := os.Lstat(filepath.Join(defaultRoot, path)); err == nil {
		return nil
	}
	if err := c.spend(); err != nil {
		return err
	}
	return c.configfs.mkdir(path)
}

func (c *counted) rmdir(path string) error {
	if _, err := os.Lstat(filepath.Join(defaultRoot, path)); err != nil {
		return nil
	}
	if err := c.spend(); err != nil {
		return err
	}
	return c.configfs.rmdir(path)
}

func (c *counted) link(to, path string) error {
	if err := c.spend(); err != nil {
		return err
	}
	return c.configfs.link(to, path)
}

func (c *counted) unlink(path string) error {
	if err := c.spend(); err != nil {
		return err
	}
	return c.configfs.unlink(path)
}
