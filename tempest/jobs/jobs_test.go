package jobs

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// TestSchedulerKilled: another goes on waiting for the same copy, which does not
// begin anew.
func TestSchedulerKilled(t *testing.T) {
	w := newWorld(t)
	id, job := w.clone()
	w.Scheduler.Kill()
	before := w.job(job) // what was stored outlives it
	if before.BytesDone == 0 || before.BytesTotal != gib {
		t.Errorf("stored: %+v", before)
	}
	w.notThere(id)
	if err := w.Scheduler.Start(); err != nil {
		t.Fatal(err)
	}
	w.further(job, before.BytesDone)
	w.whole(id)
	if begun := w.Nodes[0].LogLines(`kind=copy_from`, 10); len(begun) != 1 {
		t.Errorf("the node copied %d times", len(begun))
	}
}

// TestNodeKilled: the copy begins anew, and no half of one is taken for it.
func TestNodeKilled(t *testing.T) {
	w := newWorld(t)
	id, _ := w.clone()
	w.Nodes[0].Kill()
	w.notThere(id)
	if err := w.Nodes[0].Start(); err != nil {
		t.Fatal(err)
	}
	w.notThere(id)
	w.whole(id)
}

func TestBothKilled(t *testing.T) {
	w := newWorld(t)
	id, _ := w.clone()
	w.Scheduler.Kill()
	restart(t, w.Nodes[0].Role)
	if err := w.Scheduler.Start(); err != nil {
		t.Fatal(err)
	}
	w.whole(id)
}

// TestCancelAndRetry: the copy ends at once and leaves nothing; its volume is in
// error until the job is begun anew. Administrators see progress in the API.
func TestCancelAndRetry(t *testing.T) {
	w := newWorld(t)
	id, job := w.clone()
	v, err := volumes.Get(t.Context(), w.Client(t, w.project), id).Extract()
	if err != nil || !strings.HasSuffix(v.Metadata["clinker:progress"], "%") || !strings.HasSuffix(v.Metadata["clinker:progress_bytes"], fmt.Sprint("/", gib)) {
		t.Errorf("shown: %v, %v", v, err)
	}
	if out := w.run("cancel", fmt.Sprint(job)); !strings.Contains(out, "is cancelled; the volume "+id+" is in status error") {
		t.Error(out)
	}
	w.notThere(id)
	w.tidy()
	if one := w.job(job); one.State != "cancelled" || one.Status != "error" || !strings.Contains(one.Failure, "cancelled by the administrator") {
		t.Errorf("%+v", one)
	}
	if out, err := w.try("cancel", fmt.Sprint(job)); err == nil || !strings.Contains(out, "has ended already") {
		t.Error(out)
	}
	if listed := w.jobs("list", "--json"); len(listed) != 0 {
		t.Errorf("listed: %+v", listed)
	}
	if out := w.run("list", "--state", "cancelled,failed"); !strings.Contains(out, "cancelled by the administrator") {
		t.Error(out)
	}
	w.run("retry", fmt.Sprint(job))
	w.whole(id)
	if out, err := w.try("retry", fmt.Sprint(job)); err == nil || !strings.Contains(out, "available") {
		t.Error(out)
	}
}

// TestFollow: lines in a pipe, a bar on a terminal.
func TestFollow(t *testing.T) {
	w := newWorld(t)
	id, job := w.clone()
	command := strings.Join([]string{rig.Binary(t), "--config", filepath.Join(w.Dir, "control.conf"), "job", "list", "--follow"}, " ")
	terminal := exec.CommandContext(t.Context(), "script", "-qec", "stty rows 40 cols 120; "+command, "/dev/null")
	terminal.Env = []string{"TERM=xterm", "PATH=/usr/bin:/bin"}
	drawn := make(chan string, 1)
	go func() { out, err := terminal.CombinedOutput(); drawn <- fmt.Sprint(string(out), err) }()
	out := w.run("show", "--follow", fmt.Sprint(job))
	if !strings.Contains(out, "volume_create "+id+": running, ") || !strings.Contains(out, "% of 1 GiB") || !strings.Contains(out, ": done") {
		t.Error(out)
	}
	bar := <-drawn
	for _, text := range []string{"volume_create", "=>", "1.0 GiB", "done"} {
		if !strings.Contains(bar, text) {
			t.Errorf("no %q in %q", text, bar)
		}
	}
	w.whole(id)
	id, job = w.clone()
	w.run("cancel", "--no-wait", fmt.Sprint(job))
	if out, err := w.try("show", "--follow", fmt.Sprint(job)); err == nil || !strings.Contains(out, "cancelled") {
		t.Error(out, err)
	}
	rig.Eventually(t, rig.Settle, func() error {
		if v, err := volumes.Get(t.Context(), w.Client(t, w.project), id).Extract(); err != nil || v.Status != "error" {
			return fmt.Errorf("%v, %v", v, err)
		}
		return nil
	})
}
