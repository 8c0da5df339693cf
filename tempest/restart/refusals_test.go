package restart

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"clinker/tempest/rig"
)

// TestRefusals starts dev where it cannot run. It says in one sentence what is
// wrong and what to do, its exit status is not 0, and nothing stays behind.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(t *testing.T, d *rig.Dev)
		says    string // a regular expression
	}{
		"port of the API in use": {func(t *testing.T, d *rig.Dev) { occupy(t, d.Port) },
			`port \d+ is in use by another program: .* or choose another.*--port`},
		"port of the identity in use": {func(t *testing.T, d *rig.Dev) { occupy(t, d.IdentityPort) },
			`port \d+ is in use by another program: .* or choose another.*--identity-port`},
		"iSCSI port in use": {func(t *testing.T, d *rig.Dev) { occupy(t, d.TargetPort) },
			`port \d+ is in use by another program: .* or choose another.*--target-port`},
		"data directory is a file": {func(t *testing.T, d *rig.Dev) {
			if err := os.WriteFile(d.Data, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, `cannot be made: choose another with --data`},
		"data directory not writable": {func(t *testing.T, d *rig.Dev) {
			d.Under(t, `mkdir -p "$DATA"; mount -t tmpfs -o ro,size=2g none "$DATA"`)
		}, `cannot be written: choose another directory with --data`},
		"too little room": {func(t *testing.T, d *rig.Dev) {
			d.Under(t, `mkdir -p "$DATA"; mount -t tmpfs -o size=64m none "$DATA"`)
		}, `has \d+ MiB free, 1024 are needed: make room or choose another directory with --data`},
		"no PostgreSQL": {func(t *testing.T, d *rig.Dev) {
			d.Under(t, `mount -t tmpfs none /usr/lib/postgresql`)
		}, `PostgreSQL is not installed: run apt-get install postgresql`},
		"no tgtd": {func(t *testing.T, d *rig.Dev) {
			d.Under(t, `: >"$DATA.tgtd"; mount --bind "$DATA.tgtd" /usr/sbin/tgtd`)
		}, `tgtd.* is not installed: .*apt-get install tgt`},
		"data directory of another user": {func(t *testing.T, d *rig.Dev) {
			d.Under(t, `mkdir "$DATA"; : >"$DATA/lock"; chown -R nobody "$DATA"`)
		}, `is user nobody's: run clinker dev as that user or choose another directory with --data`},
		"any address": {func(_ *testing.T, d *rig.Dev) { d.Add("--listen", "0.0.0.0") },
			`--listen "0.0.0.0": one IP address of this machine is needed`},
		"no address": {func(_ *testing.T, d *rig.Dev) { d.Add("--listen", "") },
			`--listen "": one IP address of this machine is needed`},
		"no such port": {func(_ *testing.T, d *rig.Dev) { d.Add("--port", "80777") },
			`--port: there is no port 80777, only 1 to 65535`},
		"one port for two": {func(_ *testing.T, d *rig.Dev) { d.Add("--port", "8776", "--identity-port", "8776") },
			`--port and --identity-port both want port 8776: choose another`},
		"no nodes": {func(_ *testing.T, d *rig.Dev) { d.Add("--nodes", "0") },
			`--nodes 0: at least one storage node is needed`},
		"thin files": {func(_ *testing.T, d *rig.Dev) { d.Add("--thin") },
			`--thin is for volumes in a volume group: name it with --volume-group`},
		"image service without a scheme": {func(_ *testing.T, d *rig.Dev) { d.Add("--image-service", "glance:9292") },
			`--image-service "glance:9292": it must begin with http:// or https://`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := rig.NewDev(t)
			c.prepare(t, d)
			if err := d.Start(); err == nil {
				t.Fatal("dev runs")
			}
			refused(t, d, c.says)
		})
	}
}

func refused(t *testing.T, d *rig.Dev, says string) {
	t.Helper()
	if status := d.Process.ExitStatus(); status <= 0 {
		t.Errorf("exit status %d", status)
	}
	var sentences []string
	for line := range strings.Lines(d.Said()) {
		if !strings.HasPrefix(line, "  ok  ") { // the steps that passed
			sentences = append(sentences, strings.TrimSpace(line))
		}
	}
	if len(sentences) != 1 || !regexp.MustCompile("^clinker: .*"+says).MatchString(sentences[0]) {
		t.Errorf("dev says:\n%s\nwant one line with %q", strings.Join(sentences, "\n"), says)
	}
	if left := d.Left(); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
}

// TestSecondDevIsRefused does not disturb the first.
func TestSecondDevIsRefused(t *testing.T) {
	t.Parallel()
	first := rig.StartDev(t)
	second := rig.NewDev(t)
	second.Share(first)
	if err := second.Start(); err == nil {
		t.Fatal("two devs run on one directory")
	}
	if !strings.Contains(second.Said(), "another clinker dev is running on "+first.Data) || second.Process.ExitStatus() <= 0 {
		t.Errorf("exit status %d, and it says: %s", second.Process.ExitStatus(), second.Said())
	}
	if _, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", first.Port)); err != nil {
		t.Error(err)
	}
}

func occupy(t *testing.T, port int) {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}
