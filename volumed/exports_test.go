package volumed

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
	"clinker/volumed/target"
)

func initiator(host string) string { return "iqn.1993-08.org.debian:" + host }

func TestTwoAttachmentsOfOneHostShareALogin(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, a, b, other := r.volume(), uuid.NewString(), uuid.NewString(), uuid.NewString()
	first := r.attach(v, a, "host1")
	second := r.attach(v, b, "host1")
	r.attach(v, other, "host2")
	if second.Username != first.Username || second.Password != first.Password {
		t.Error("the second attachment has another login")
	}
	r.must(r.Revoke(ctx, fence(a, 2), poolName, v))
	if !r.target.session(first.IQN, initiator("host1")) {
		t.Error("the session was cut while an attachment has it")
	}
	r.must(r.Revoke(ctx, fence(b, 2), poolName, v))
	if r.target.session(first.IQN, initiator("host1")) {
		t.Error("the session outlives the last attachment")
	}
	if !r.target.session(first.IQN, initiator("host2")) {
		t.Error("another host's session was cut")
	}
}

func TestOneThatWritesMakesTheLoginWritable(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, a, b := r.volume(), uuid.NewString(), uuid.NewString()
	reader := grantOf(a, "host1")
	reader.ReadOnly = true
	c, err := r.Grant(ctx, fence(a, 1), poolName, v, reader)
	if err != nil || !c.ReadOnly {
		t.Fatalf("%v %v", c, err)
	}
	if c, err = r.Grant(ctx, fence(b, 1), poolName, v, grantOf(b, "host1")); err != nil || c.ReadOnly {
		t.Fatalf("%v %v", c, err)
	}
	r.must(r.Revoke(ctx, fence(b, 2), poolName, v))
	if g := r.target.exports[c.IQN].Grants; len(g) != 1 || !g[0].ReadOnly {
		t.Errorf("the reader's login: %v", g)
	}
}

func TestAReaderStaysAReader(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, a, b := r.volume(), uuid.NewString(), uuid.NewString()
	reader := grantOf(a, "host1")
	reader.ReadOnly = true
	c, err := r.Grant(ctx, fence(a, 1), poolName, v, reader)
	r.must(err)
	r.attach(v, b, "host2")
	onlyReads := func(when string, want bool) {
		t.Helper()
		for _, g := range r.target.exports[c.IQN].Grants {
			if g.ReadOnly != (want && g.Initiator == initiator("host1")) {
				t.Errorf("%s: %v", when, g)
			}
		}
	}
	onlyReads("at first", true)
	r.target.lose()
	r.restart()
	onlyReads("after the node's reboot", true)
	reader.ReadOnly = false
	if c, err = r.Grant(ctx, fence(a, 2), poolName, v, reader); err != nil || c.ReadOnly {
		t.Fatal(c, err)
	}
	onlyReads("made a writer", false)
	reader.ReadOnly = true
	r.target.setFail(func(string, string) error { return errDown })
	if _, err := r.Grant(ctx, fence(a, 3), poolName, v, reader); err == nil {
		t.Fatal("the fake is no target")
	}
	r.target.setFail(func(string, string) error { return nil })
	r.restart()
	onlyReads("although the target failed", true)
}

func TestAGrantThatCannotBeLeavesNothing(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, a, b := r.volume(), uuid.NewString(), uuid.NewString()
	c := r.attach(v, a, "host1")
	bad := grantOf(b, "host2")
	bad.Password = "short"
	if _, err := r.Grant(ctx, fence(b, 1), poolName, v, bad); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short password: %v", err)
	}
	r.target.setFail(func(method, iqn string) error {
		if method == "apply" && len(r.target.exports) > 0 && strings.Contains(iqn, v) {
			return fault.New(fault.Unsupported, "this target cannot")
		}
		return nil
	})
	if _, err := r.Grant(ctx, fence(b, 1), poolName, v, grantOf(b, "host2")); !fault.Is(err, fault.Unsupported) {
		t.Errorf("what the target cannot do: %v", err)
	}
	r.target.setFail(func(string, string) error { return nil })
	if all, err := r.Exports(ctx, poolName); err != nil || len(all) != 1 || all[0].AttachmentID != a || !all[0].Present {
		t.Errorf("exports: %v %v", all, err)
	}
	if !r.target.session(c.IQN, initiator("host1")) {
		t.Error("the other host's session was cut")
	}
	if _, err := r.Grant(ctx, fence(b, 1), poolName, uuid.NewString(), grantOf(b, "host2")); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such volume: %v", err)
	}
}

func TestALateGrantDoesNotComeBack(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, a := r.volume(), uuid.NewString()
	c := r.attach(v, a, "host1")
	r.must(r.Revoke(ctx, fence(a, 2), poolName, v))
	r.restart()
	for generation := int64(1); generation <= 2; generation++ {
		if _, err := r.Grant(ctx, fence(a, generation), poolName, v, grantOf(a, "host1")); !fault.Is(err, fault.Stale) {
			t.Errorf("generation %d: %v", generation, err)
		}
	}
	if r.target.login(c.IQN, initiator("host1"), c.Username, target.Secret(c.Password)) {
		t.Error("it logs in")
	}
}

func TestARevokeThatFailsIsMadeGoodByTheNextStart(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, a, b := r.volume(), uuid.NewString(), uuid.NewString()
	c := r.attach(v, a, "host1")
	r.attach(v, b, "host2")
	r.target.setFail(func(string, string) error { return errDown })
	for _, id := range []string{a, b} {
		if err := r.Revoke(ctx, fence(id, 2), poolName, v); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("got %v", err)
		}
	}
	if !r.target.session(c.IQN, initiator("host1")) {
		t.Fatal("the fake is no target")
	}
	r.target.setFail(func(string, string) error { return nil })
	r.restart()
	if len(r.target.exports) > 0 || r.target.session(c.IQN, initiator("host1")) {
		t.Error("access is left")
	}
	r.must(r.Revoke(ctx, fence(a, 2), poolName, v))
	r.done(r.Destroy(ctx, fence(v, 2), poolName))
}

func TestAVolumeWithoutADeviceCanBeRevoked(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, a, b := r.volume(), uuid.NewString(), uuid.NewString()
	r.attach(v, a, "host1")
	r.attach(v, b, "host2")
	r.must(r.storage.Backend.Delete(ctx, "volume-"+v))
	r.must(r.Revoke(ctx, fence(a, 2), poolName, v))
	if len(r.target.exports) > 0 {
		t.Error("the target is still there")
	}
}

func TestEveryExportComesBackAndNoneWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, ctx := newRig(t), t.Context()
		volumes := map[string]*rpc.Connection{}
		for range 20 {
			v := r.volume()
			volumes[v] = r.attach(v, uuid.NewString(), "host1")
		}
		sick := volumes[r.names()[0]].IQN
		r.target.lose()
		r.target.setFail(func(_, iqn string) error {
			if iqn == sick {
				return errDown
			}
			return nil
		})
		begun := time.Now()
		r.restart()
		if took := time.Since(begun); took > 0 {
			t.Errorf("a sick export held up the start by %s", took)
		}
		all, err := r.Exports(ctx, poolName)
		r.must(err)
		for _, e := range all {
			if iqn := volumes[e.VolumeID].IQN; e.Present == (iqn == sick) {
				t.Errorf("%s: present %v", iqn, e.Present)
			}
		}
		time.Sleep(5 * time.Minute)
		r.target.setFail(func(string, string) error { return nil })
		time.Sleep(lastRetry)
		synctest.Wait()
		if c := volumes[r.names()[0]]; !r.target.login(c.IQN, initiator("host1"), c.Username, target.Secret(c.Password)) {
			t.Error("the sick export did not get well")
		}
	})
}

func TestWhatATargetLosesIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		v, a := r.volume(), uuid.NewString()
		c := r.attach(v, a, "host1")
		gone := r.volume()
		r.attach(gone, uuid.NewString(), "host2")
		go r.check(r.work.open)
		back := func() bool {
			synctest.Wait()
			return r.target.login(c.IQN, initiator("host1"), c.Username, target.Secret(c.Password))
		}
		r.target.lose()
		r.Recheck()
		if !back() {
			t.Error("not when told")
		}
		r.target.lose()
		time.Sleep(r.Server.options.CheckInterval)
		if !back() {
			t.Error("not by itself")
		}
		applied := r.target.applied
		time.Sleep(10 * r.Server.options.CheckInterval)
		if r.target.applied != applied {
			t.Error("exports that are well are made again")
		}
	})
}

// TestUnknownExport: what holds a volume that is to be destroyed may be an export of the
// time before the journal was lost.
func TestUnknownExport(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	v := r.volume()
	at := r.attach(v, uuid.NewString(), "host1")
	r.stop()
	r.must(os.Remove(r.path))
	r.start()
	held, err := os.Open(filepath.Join(r.dir, backend.VolumeName(v)))
	r.must(err)
	r.target.setFail(func(method, iqn string) error {
		if method == "remove" && iqn == at.IQN {
			return held.Close()
		}
		return nil
	})
	r.done(r.Destroy(t.Context(), fence(v, 2), poolName))
	if r.target.session(at.IQN, initiator("host1")) {
		t.Error("the session is still there")
	}
}

// TestUnknownExportIsTold: not parallel, the log is the process's.
func TestUnknownExportIsTold(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	r := newRig(t)
	known, unknown := r.volume(), r.volume()
	r.attach(known, uuid.NewString(), "host1")
	for _, id := range []string{unknown, uuid.NewString()} { // the second is no volume of this pool
		_, err := r.target.Apply(t.Context(), target.Export{IQN: prefix + backend.VolumeName(id), Device: "/dev/vg0/x", Serial: "x"})
		r.must(err)
	}
	log.Reset()
	for range 2 {
		r.must(r.checkPool(t.Context(), poolName, r.pools[poolName]))
	}
	if text := log.String(); strings.Count(text, "was not told to export") != 1 || !strings.Contains(text, unknown) {
		t.Errorf("the log: %s", text)
	}
}
