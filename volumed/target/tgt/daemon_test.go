package tgt

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"clinker/internal/fault"
	"clinker/internal/run"
	"clinker/volumed/target"
	"clinker/volumed/target/targettest"
)

// example is an export of a new file with one grant.
func example(t *testing.T, readOnly bool) target.Export {
	return target.Export{IQN: prefix + "volume-example", Serial: "example", Device: targettest.FileDevice(nil)(t, 64<<20).Path,
		Grants: []target.Grant{{Initiator: "iqn.1993-08.org.debian:01:alice", Username: "alice", Password: "0123456789abcdef", ReadOnly: readOnly}}}
}

func TestDaemonIsReplaced(t *testing.T) {
	again := make(chan struct{})
	dir := t.TempDir()
	d, err := Start(t.Context(), DaemonOptions{Dir: dir, Portals: []string{"127.0.0.1:0"},
		Restarted: func(context.Context) { again <- struct{}{} }})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Stop()
	tg, e := New(Options{Socket: d.Socket(), Prefix: prefix}), example(t, false)
	before, err := tg.Apply(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := syscall.Kill(d.Pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-again
		after, err := tg.Apply(t.Context(), e)
		if err != nil || after.Portals[0] != before.Portals[0] {
			t.Fatalf("portals %v (%v), want %v as before", after.Portals, err, before.Portals)
		}
		s, err := initiator(t).Login(t.Context(), targettest.Login{Address: after, IQN: e.IQN,
			Name: e.Grants[0].Initiator, Username: e.Grants[0].Username, Password: e.Grants[0].Password})
		if err != nil {
			t.Fatal(err)
		}
		s.Logout()
	}
}

// TestDaemonIsFoundAgain: exports outlive the process that started the daemon.
func TestDaemonIsFoundAgain(t *testing.T) {
	o := DaemonOptions{Dir: t.TempDir(), Portals: []string{"127.0.0.1:0"}}
	first, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	e := example(t, false)
	if _, err := New(Options{Socket: first.Socket(), Prefix: prefix}).Apply(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	first.stop()
	<-first.done // as if this process had been killed
	o.Restarted = func(context.Context) {}
	second, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Stop()
	if second.Pid() != first.Pid() {
		t.Errorf("pid %d, want %d", second.Pid(), first.Pid())
	}
	all, err := New(Options{Socket: second.Socket(), Prefix: prefix}).List(t.Context())
	if err != nil || len(all) != 1 || all[0].IQN != e.IQN {
		t.Errorf("%v (%v)", all, err)
	}
}

func TestPortalInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d, err := Start(t.Context(), DaemonOptions{Dir: t.TempDir(), Portals: []string{l.Addr().String()}})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want Conflict", err)
	}
	if d != nil {
		d.Stop()
	}
}

// TestReadOnlyRefusesEveryWrite runs libiscsi's own test, which tries every
// command that writes.
func TestReadOnlyRefusesEveryWrite(t *testing.T) {
	onHost(t)
	d, e := startDaemon(t), example(t, true)
	a, err := New(Options{Socket: d.Socket(), Prefix: prefix}).Apply(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	out, err := run.Command{
		Args: []string{"iscsi-test-cu", "-d", "-f", "-n", "-i", e.Grants[0].Initiator, "-t", "SCSI.ReadOnly",
			"iscsi://" + a.Portals[0] + "/" + e.IQN + "/1"},
		Env: []string{"LIBISCSI_CHAP_USERNAME=alice", "LIBISCSI_CHAP_PASSWORD=0123456789abcdef"},
	}.Output(t.Context())
	if err != nil || bytes.Contains(out, []byte("not write-protected")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestGrowUnderDeepQueue grows a volume while 32 writes are always under way.
func TestGrowUnderDeepQueue(t *testing.T) {
	onHost(t)
	d, e := startDaemon(t), example(t, false)
	dev := targettest.FileDevice(nil)(t, 64<<20)
	e.Device = dev.Path
	tg := New(Options{Socket: d.Socket(), Prefix: prefix})
	a, err := tg.Apply(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	writer := exec.CommandContext(t.Context(), "qemu-img", "bench", "-w", "-t", "none", "-d", "32", "-s", "65536", "-c", "8000",
		"--image-opts", "driver=iscsi,transport=tcp,portal="+a.Portals[0]+",target="+e.IQN+
			",lun=1,user=alice,password=0123456789abcdef,initiator-name="+e.Grants[0].Initiator)
	out := &bytes.Buffer{}
	writer.Stdout, writer.Stderr = out, out
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	for size := int64(65); size <= 66; size++ {
		err := until(t.Context(), "no session", func() (bool, error) { return len(sessionsOf(t, d, e.IQN)) > 0, nil })
		if err != nil {
			t.Fatal(err)
		}
		dev.Grow(t, size<<20)
		if _, err := tg.Apply(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Wait(); err != nil {
		t.Errorf("%v: %s", err, out)
	}

}

// TestSilentInitiator removes an export whose initiator stopped reading with
// answers under way: the connection cannot even be written to.
func TestSilentInitiator(t *testing.T) {
	onHost(t)
	d, e := startDaemon(t), example(t, false)
	tg := New(Options{Socket: d.Socket(), Prefix: prefix})
	a, err := tg.Apply(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	reader := exec.CommandContext(t.Context(), "qemu-img", "bench", "-t", "none", "-d", "64", "-s", "524288", "-c", "2000000",
		"--image-opts", "driver=iscsi,transport=tcp,portal="+a.Portals[0]+",target="+e.IQN+
			",lun=1,user=alice,password=0123456789abcdef,initiator-name="+e.Grants[0].Initiator)
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	defer reader.Wait()
	defer reader.Process.Kill()
	done := func() string { // bytes read so far
		text, err := tg.control.call(t.Context(), request{mode: modeSystem, op: opStats})
		fields := strings.Fields(text)
		if err != nil || len(fields) < 20 {
			return "0"
		}
		return fields[len(fields)-7]
	}
	if err := until(t.Context(), "no reads", func() (bool, error) { return done() != "0", nil }); err != nil {
		t.Fatal(err)
	}
	if err := reader.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	last, still := "", 0
	err = until(t.Context(), "reads go on", func() (bool, error) {
		if now := done(); now != last {
			last, still = now, 0
		}
		still++
		return still == 100, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := tg.Remove(t.Context(), e.IQN); err != nil {
		t.Error(err)
	}
	t.Log(time.Since(began))
}
