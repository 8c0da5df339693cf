package testbed_test

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"testing"

	"clinker/internal/run"
	"clinker/testbed"
)

// TestMachine shows what one machine can do. Its parts share the machine and
// follow one another.
func TestMachine(t *testing.T) {
	t.Parallel()
	t.Cleanup(testbed.TakeLane(t))
	vm := testbed.Start(t, testbed.Options{
		Name:  "one",
		Disks: []testbed.Disk{{Serial: "data", SizeGiB: 20}, {Serial: "state", SizeGiB: 1}},
		Files: map[string]string{"/usr/share/install": "install.sh"},
	})
	for _, part := range []struct {
		name string
		test func(*testing.T, *testbed.VM)
	}{
		{"Exec", testExec},
		{"Files", testFiles},
		{"Background", testBackground},
		{"RunTests", testRunTests},
		{"LVM", testLVM},
		{"PowerCut", testPowerCut},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, vm) })
	}
}

func testExec(t *testing.T, vm *testbed.VM) {
	output, err := vm.Exec(t.Context(), "hostname")
	if err != nil || string(output) != "one\n" {
		t.Errorf("hostname: %q, %v; want one", output, err)
	}
	var stdout, stderr bytes.Buffer
	command := testbed.Command{
		Args: []string{"sh", "-c", "cat; echo $WORD >&2; pwd; exit 3"}, Input: []byte("in\n"),
		Env: []string{"WORD=said"}, Dir: "/tmp",
	}
	status, err := vm.Stream(t.Context(), command, &stdout, &stderr)
	if err != nil || status != 3 || stdout.String() != "in\n/tmp\n" || stderr.String() != "said\n" {
		t.Errorf("status %d, %v, stdout %q, stderr %q", status, err, &stdout, &stderr)
	}
	_, err = vm.Exec(t.Context(), "sh", "-c", "echo why >&2; exit 3")
	var exit *run.ExitError
	if !errors.As(err, &exit) || exit.Status != 3 || exit.Stderr != "why" {
		t.Errorf("error %v, want exit status 3 with its reason", err)
	}
	if status, err = vm.Stream(t.Context(), testbed.Command{Args: []string{"sh", "-c", "kill -9 $$"}}, &stdout, &stderr); status != 137 {
		t.Errorf("killed by signal 9: status %d, %v; want 137", status, err)
	}
	if _, err = vm.Exec(t.Context(), "no-such-program"); err == nil || errors.As(err, &exit) {
		t.Errorf("a program that is not there: %v", err)
	}
}

func testFiles(t *testing.T, vm *testbed.VM) {
	content := bytes.Repeat([]byte("clinker\n"), 1<<20)
	if err := vm.Put(t.Context(), "/tmp/deep/down/file", 0o750, bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	if got := vm.Run(t, "stat -c '%a %s' /tmp/deep/down/file"); got != "750 8388608\n" {
		t.Errorf("mode and size %q", got)
	}
	got, err := vm.Get(t.Context(), "/tmp/deep/down/file")
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("got %d bytes back, %v", len(got), err)
	}
	if _, err := vm.Get(t.Context(), "/no/such/file"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func testBackground(t *testing.T, vm *testbed.VM) {
	process, err := vm.Machine.Start(t.Context(), testbed.Command{Args: []string{"sh", "-c", "echo up; sleep 1000"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Signal(t.Context(), syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if status, err := process.Wait(t.Context()); err != nil || status != 143 {
		t.Errorf("ended with status %d, %v; want 143", status, err)
	}
	if err := process.Signal(t.Context(), syscall.SIGTERM); err != nil {
		t.Errorf("signal after its end: %v", err)
	}
}

// testLVM needs device nodes that LVM makes without udev, and dm-thin.
func testLVM(t *testing.T, vm *testbed.VM) {
	vm.MakeVG(t)
	vm.MakeVG(t) // may be repeated
	got := vm.Run(t, `
		lvcreate -q -y -L 64M -n thick vg0 >&2
		lvcreate -q -y -L 256M --type thin-pool -n pool vg0 >&2
		lvcreate -q -y -V 1G --thinpool pool -n thin vg0 >&2
		lvcreate -q -y -kn -s -n snap vg0/thin >&2
		for lv in thick thin snap; do blockdev --getsize64 /dev/vg0/$lv; done`)
	if want := "67108864\n1073741824\n1073741824\n"; got != want {
		t.Errorf("sizes of thick, thin and snapshot:\n%swant:\n%s", got, want)
	}
}

// testPowerCut comes last: synced data is there after it, and so are the volumes.
func testPowerCut(t *testing.T, vm *testbed.VM) {
	vm.Mount(t, "state", "/state")
	sum := vm.Run(t, `
		echo kept >/state/file
		sync
		mkfs.ext4 -q /dev/vg0/thin
		mount /dev/vg0/thin /mnt
		dd if=/dev/urandom of=/mnt/file bs=1M count=4 conv=fsync status=none
		sha256sum </mnt/file`)
	vm.PowerCut(t)
	if _, err := vm.Exec(t.Context(), "true"); err == nil || !strings.Contains(err.Error(), "off") {
		t.Errorf("a machine without power answers: %v", err)
	}
	vm.Boot(t)
	vm.Mount(t, "state", "/state")
	if kept := vm.Run(t, "cat /state/file; [ -s /usr/share/install ]"); kept != "kept\n" {
		t.Errorf("on the disk of files: %q", kept)
	}
	got := vm.Run(t, `
		vgchange -q -ay vg0 >&2
		mount /dev/vg0/thin /mnt
		sha256sum </mnt/file
		umount /mnt`)
	if got != sum {
		t.Errorf("checksum %q after the power cut, %q before", got, sum)
	}
	vm.Stop(t)
	if strings.Contains(vm.Console(), "Kernel panic") {
		t.Error("the kernel panicked")
	}
}
