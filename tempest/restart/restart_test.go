package restart

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	keepsEverything(t, func(t *testing.T, d *rig.Dev) {
		if err := d.Stop(); err != nil {
			t.Fatal(err)
		}
		if left := d.Left(); len(left) > 0 {
			t.Errorf("still running after the end: %q", left)
		}
	})
}

func TestKillAndStart(t *testing.T) {
	t.Parallel()
	keepsEverything(t, func(_ *testing.T, d *rig.Dev) { d.Process.Kill() })
}

// TestTerminated is what a service manager does.
func TestTerminated(t *testing.T) {
	t.Parallel()
	d := rig.StartDev(t)
	if err := syscall.Kill(d.Process.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.Process.Ended()
	if status := d.Process.ExitStatus(); status != 0 {
		t.Errorf("exit status %d: %s", status, d.Said())
	}
	if left := d.Left(); len(left) > 0 {
		t.Errorf("still running after the end: %q", left)
	}
}

// TestUnprivileged has somebody without any privilege run dev.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	d := rig.NewDev(t)
	d.Under(t, `mkdir "$DATA"; chown nobody "$DATA"
		cp "$1" "$DATA-clinker"; chmod 755 "$DATA-clinker"; shift
		set -- setpriv --pdeathsig INT --reuid=nobody --regid=nogroup --clear-groups "$DATA-clinker" "$@"`)
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	c := d.Client(t, "demo")
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := rig.NewHost(t, c)
	s := h.Open(t, h.Attach(t, v.ID, "rw").Login)
	if err := s.Write(t.Context(), 0, 1<<20, 0x77); err != nil {
		t.Error(err)
	}
	s.Logout()
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
}

// keepsEverything writes to a volume that is attached, ends dev in some way, and
// finds volume, export and data after the next start.
func keepsEverything(t *testing.T, end func(*testing.T, *rig.Dev)) {
	d := rig.StartDev(t)
	c := d.Client(t, "demo")
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1, Name: "kept", Metadata: map[string]string{"a": "b"}})
	host := rig.NewHost(t, c)
	a := host.Attach(t, v.ID, "rw")
	s := host.Open(t, a.Login)
	if err := s.Write(t.Context(), 1<<20, 1<<20, 0x5a); err != nil {
		t.Fatal(err)
	}
	s.Logout()

	end(t, d)
	begin := time.Now()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Logf("the second start took %s", time.Since(begin).Round(time.Millisecond))

	c = d.Client(t, "demo")
	kept, err := volumes.Get(t.Context(), c, v.ID).Extract()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(kept.Status, kept.Name, kept.Metadata); got != "in-usekeptmap[a:b]" {
		t.Errorf("the volume is now %s", got)
	}
	if err := host.Open(t, a.Login).Verify(t.Context(), 1<<20, 1<<20, 0x5a); err != nil {
		t.Error(err)
	}
	rig.NewVolume(t, c, volumes.CreateOpts{Size: 1, Name: "new"})
}
