package carry

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clinker/internal/fault"
	"clinker/internal/run"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var connection = Connection{IQN: "iqn.2010-10.org.openstack:volume-1", Portal: "10.9.0.1:3260", LUN: 1,
	Username: "user1", Password: password}

// openISCSI answers as iscsiadm does and keeps what it was told.
type openISCSI struct {
	root   string
	status map[string]int // by the last argument
	told   []string
}

func (o *openISCSI) run(_ context.Context, args ...string) ([]byte, error) {
	o.told = append(o.told, strings.Join(args, " "))
	if args[len(args)-1] == "default" {
		record, err := os.ReadFile("testdata/record")
		if err != nil {
			return nil, err
		}
		path := filepath.Join(o.root, "etc/iscsi/nodes", connection.IQN, "10.9.0.1,3260")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		return nil, os.WriteFile(path, record, 0o600)
	}
	if status := o.status[args[len(args)-1]]; status != 0 {
		return nil, &run.ExitError{Program: "iscsiadm", Status: status, Stderr: "iscsiadm: no"}
	}
	return nil, nil
}

func TestLoginKeepsThePasswordOutOfArguments(t *testing.T) {
	t.Parallel()
	o := &openISCSI{root: t.TempDir()}
	i := &iscsiadm{root: o.root, run: o.run}
	for range 2 { // the record is made anew
		if err := i.Login(t.Context(), connection); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range o.told {
		if strings.Contains(line, password) {
			t.Errorf("told: %s", line)
		}
	}
	path := filepath.Join(o.root, "etc/iscsi/nodes", connection.IQN, "10.9.0.1,3260")
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if *update {
		os.WriteFile("testdata/record.golden", got, 0o644)
	}
	if want, _ := os.ReadFile("testdata/record.golden"); string(got) != string(want) {
		t.Errorf("got\n%s", got)
	}
	if left, _ := filepath.Glob(filepath.Join(o.root, "etc/iscsi/.clinker*")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestRecordsFoundByDiscoveryAreEditedToo(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "var/lib/iscsi/nodes", connection.IQN, "10.9.0.1,3260,1", "default")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("# BEGIN RECORD\n# END RECORD\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeRecord(root, connection); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !strings.Contains(string(got), "node.session.auth.password = "+password+"\n") {
		t.Errorf("got %s", got)
	}
}

func TestIscsiadmsExitStatuses(t *testing.T) {
	t.Parallel()
	login := func(i *iscsiadm) error { return i.Login(t.Context(), connection) }
	logout := func(i *iscsiadm) error { return i.Logout(t.Context(), connection.IQN, connection.Portal) }
	rescan := func(i *iscsiadm) error { return i.Rescan(t.Context(), connection.IQN, connection.Portal) }
	for _, c := range []struct {
		name   string
		do     func(*iscsiadm) error
		status map[string]int
		code   fault.Code
	}{
		{"login", login, nil, ""},
		{"session exists", login, map[string]int{"--login": 15}, ""},
		{"refused", login, map[string]int{"--login": 24}, fault.Unauthorized},
		{"no daemon", login, map[string]int{"--login": 20}, fault.Unavailable},
		{"anything else", login, map[string]int{"--login": 8}, fault.Internal},
		{"logout", logout, nil, ""},
		{"no session", logout, map[string]int{"--logout": 21}, ""},
		{"neither", logout, map[string]int{"--logout": 21, "delete": 21}, ""},
		{"logout fails", logout, map[string]int{"--logout": 9}, fault.Internal},
		{"rescan", rescan, nil, ""},
		{"rescan nothing", rescan, map[string]int{"-R": 21}, fault.NotFound},
	} {
		o := &openISCSI{root: t.TempDir(), status: c.status}
		if err := c.do(&iscsiadm{root: o.root, run: o.run}); fault.CodeOf(err) != c.code {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func FuzzEditRecord(f *testing.F) {
	record, err := os.ReadFile("testdata/record")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(record))
	f.Add("")
	f.Add("# END RECORD\nnode.session.auth.password=x\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		once := editRecord(text, settings(connection))
		if twice := editRecord(once, settings(connection)); twice != once {
			t.Fatalf("once %q\ntwice %q", once, twice)
		}
		if strings.Count(once, "node.session.auth.password = "+password+"\n") != 1 || !strings.HasSuffix(once, "# END RECORD\n") {
			t.Fatalf("got %q", once)
		}
	})
}

// TestLogoutLeavesNoPassword: not that either which a crash in the middle of a login left.
func TestLogoutLeavesNoPassword(t *testing.T) {
	t.Parallel()
	o := &openISCSI{root: t.TempDir()}
	i := &iscsiadm{root: o.root, run: o.run}
	if err := i.Login(t.Context(), connection); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(o.root, "etc/iscsi/nodes", connection.IQN, "10.9.0.1,3260")
	if err := os.WriteFile(prepared(path, filepath.Join(o.root, "etc/iscsi")), []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := i.Logout(t.Context(), connection.IQN, connection.Portal); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(o.root, "etc/iscsi/.clinker*")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}
