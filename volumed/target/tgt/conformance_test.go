package tgt

import (
	"context"
	"fmt"
	"os/exec"
	"testing"

	"clinker/testbed/guest"
	"clinker/volumed/target"
	"clinker/volumed/target/targettest"
)

const prefix = "iqn.2010-10.org.openstack:"

// startDaemon starts a tgtd for one test. The path of its socket must be short.
func startDaemon(t *testing.T) *Daemon {
	t.Helper()
	if _, err := exec.LookPath("tgtd"); err != nil {
		t.Fatalf("%v: run make deps", err)
	}
	d, err := Start(t.Context(), DaemonOptions{Dir: t.TempDir(), Portals: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	return d
}

// initiator is the testbed's kernel there, qemu elsewhere.
func initiator(t *testing.T) targettest.Initiator {
	if guest.Inside() {
		return targettest.NewOpenISCSI(t)
	}
	return targettest.NewQemu(t)
}

func device(d *Daemon) func(*testing.T, int64) targettest.Device {
	if guest.Inside() {
		return targettest.LogicalVolume
	}
	return targettest.FileDevice(d.Pid)
}

// onHost skips what needs libiscsi's and qemu's tools, which the guest lacks.
func onHost(t *testing.T) {
	t.Helper()
	if guest.Inside() {
		t.Skip("runs on the host")
	}
}

func TestConformance(t *testing.T) {
	d := startDaemon(t)
	targettest.Run(t, targettest.Suite{
		Prefix: prefix,
		Open: func(t *testing.T, prefix string) target.Target {
			return New(Options{Socket: d.Socket(), Prefix: prefix})
		},
		Initiator:     initiator(t),
		Device:        device(d),
		Cheap:         targettest.FileDevice(d.Pid),
		Sessions:      func(t *testing.T, iqn string) []string { return sessionsOf(t, d, iqn) },
		SharedSecrets: true,
		OneAccess:     true,
		Reconnects:    true,
		Interruptions: interruptions(d),
	})
}

// sessionsOf asks the daemon who is logged in.
func sessionsOf(t *testing.T, d *Daemon, iqn string) []string {
	t.Helper()
	tg := New(Options{Socket: d.Socket()})
	text, err := tg.control.call(t.Context(), request{mode: modeTarget, op: opShow, target: allTargets})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range parseTargets(text) {
		if s.name != iqn {
			continue
		}
		connections, err := tg.connections(t.Context(), s.id)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range connections {
			all = append(all, fmt.Sprintf("%s %d", c.initiator, c.sid))
		}
	}
	return all
}

// interruptions breaks Apply off after each of its steps, and Remove as well.
func interruptions(d *Daemon) []targettest.Interruption {
	begin := func(t *testing.T, e target.Export) *export {
		tg := New(Options{Socket: d.Socket(), Prefix: prefix})
		now, err := tg.state(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return &export{Target: tg, want: e, now: now}
	}
	must := func(t *testing.T, errs ...error) {
		t.Helper()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	applied := func(t *testing.T, e target.Export) *export {
		_, err := begin(t, e).Apply(t.Context(), e)
		must(t, err)
		x := begin(t, e)
		x.at = *x.now.find(e.IQN)
		return x
	}
	make := func(name string, f func(ctx context.Context, t *testing.T, e target.Export)) targettest.Interruption {
		return targettest.Interruption{Name: name, Make: func(t *testing.T, e target.Export) { f(t.Context(), t, e) }}
	}
	return []targettest.Interruption{
		make("TargetWithoutAnchor", func(ctx context.Context, t *testing.T, e target.Export) {
			must(t, begin(t, e).newTarget(ctx))
		}),
		make("TargetWithoutUnit", func(ctx context.Context, t *testing.T, e target.Export) {
			must(t, begin(t, e).makeTarget(ctx))
		}),
		make("UnitUndressed", func(ctx context.Context, t *testing.T, e target.Export) {
			x := begin(t, e)
			must(t, x.makeTarget(ctx), x.control.do(ctx, request{mode: modeUnit, op: opNew, target: x.at.id,
				unit: unitNumber, params: "path=" + e.Device + ",bstype=rdwr"}))
		}),
		make("AccountUnbound", func(ctx context.Context, t *testing.T, e target.Export) {
			x := begin(t, e)
			must(t, x.makeTarget(ctx), x.makeUnit(ctx, 64<<20), x.newAccount(ctx, e.Grants[0].Username, "anotherpassword"))
		}),
		make("AccountWithoutRule", func(ctx context.Context, t *testing.T, e target.Export) {
			x := begin(t, e)
			must(t, x.makeTarget(ctx), x.makeUnit(ctx, 64<<20), x.giveAccount(ctx, e.Grants[0]))
		}),
		make("SecondGrantMissing", func(ctx context.Context, t *testing.T, e target.Export) {
			e.Grants = e.Grants[:1]
			applied(t, e)
		}),
		make("Offline", func(ctx context.Context, t *testing.T, e target.Export) {
			must(t, applied(t, e).setState(ctx, "offline"))
		}),
		make("OfflineWithoutUnit", func(ctx context.Context, t *testing.T, e target.Export) {
			x := applied(t, e)
			must(t, x.setState(ctx, "offline"), x.deleteUnits(ctx))
		}),
		make("RemovedGrants", func(ctx context.Context, t *testing.T, e target.Export) {
			x := applied(t, e)
			x.want.Grants = nil
			must(t, x.revoke(ctx))
		}),
		make("RemovedUnit", func(ctx context.Context, t *testing.T, e target.Export) {
			x := applied(t, e)
			x.want.Grants = nil
			must(t, x.revoke(ctx), x.deleteUnits(ctx))
		}),
	}
}
