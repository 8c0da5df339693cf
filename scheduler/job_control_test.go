package scheduler_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/jobs"
	"clinker/scheduler/nodetest"
)

// jobAbout gives the newest job about a row.
func (r *rig) jobAbout(id string) db.Job {
	r.Helper()
	found, err := r.db.Jobs(r.Context(), db.JobFilter{Resource: id, All: true, Limit: 1})
	if err != nil || len(found) != 1 {
		r.Fatalf("jobs about %s: %v, %v", id, found, err)
	}
	return found[0]
}

// jobEnds waits for the end of the newest job about a row.
func (r *rig) jobEnds(id string) db.Job {
	r.Helper()
	r.eventually("the job ends", func() bool { return r.jobAbout(id).Ended() })
	return r.jobAbout(id)
}

// newCopyRig has operations that go on until they are cancelled, a volume to copy,
// and an image.
func newCopyRig(t *testing.T) (*rig, *nodetest.Node, db.Volume) {
	r, node, _ := newImageRig(t)
	adjust := r.adjust
	r.adjust = func(o *scheduler.Options) { adjust(o); o.Jobs.FirstWait = 50 * time.Millisecond }
	r.start()
	source := r.rests(r.request(1, nil).ID, "available")
	node.SetSlow(time.Hour)
	node.SetProgress(250)
	return r, node, source
}

// copies are the kinds of copies that make a volume.
var copies = map[string]func(r *rig, source db.Volume) db.Volume{
	"image": func(r *rig, _ db.Volume) db.Volume { return r.imaged() },
	"clone": func(r *rig, source db.Volume) db.Volume {
		return r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.SourceVolid = &source.ID })
	},
}

// Progress is stored with the job, and outlives the scheduler.
func TestProgressIsStored(t *testing.T) {
	t.Parallel()
	for name, begin := range copies {
		t.Run(name, func(t *testing.T) {
			r, node, source := newCopyRig(t)
			v := begin(r, source)
			shows := func(done int64) func() bool {
				return func() bool {
					p, err := r.db.VolumeProgress(t.Context(), v.ID)
					return err == nil && p == db.Progress{BytesDone: done, BytesTotal: nodetest.ProgressTotal}
				}
			}
			r.eventually("a quarter", shows(250))
			node.SetProgress(700)
			r.eventually("more", shows(700))
			if job := r.jobAbout(v.ID); job.State != db.JobRunning || job.BytesDone != 700 || job.Kind != "volume_create" || job.Resource != "volume" {
				t.Errorf("%+v", job)
			}
			node.SetSlow(0)
			node.Forget()
			r.rests(v.ID, "available")
			if job := r.jobEnds(v.ID); job.State != db.JobDone || job.Failure != "" {
				t.Errorf("%+v", job)
			}
			if p, err := r.db.VolumeProgress(t.Context(), v.ID); err != nil || p.BytesTotal != 0 {
				t.Errorf("when it is done: %v, %v", p, err)
			}
		})
	}
}

// A cancelled copy leaves nothing on the node, the volume in error, and its user
// told; it can be begun anew.
func TestCancelAndRetryCopies(t *testing.T) {
	t.Parallel()
	for name, begin := range copies {
		t.Run(name, func(t *testing.T) {
			r, node, source := newCopyRig(t)
			v := begin(r, source)
			r.eventually("it copies", func() bool { return r.jobAbout(v.ID).BytesDone > 0 })
			job := r.jobAbout(v.ID)
			if err := jobs.Retry(t.Context(), r.db, job.ID); !fault.Is(err, fault.Invalid) {
				t.Errorf("a retry of what is running: %v", err)
			}
			if err := jobs.Cancel(t.Context(), r.db, job.ID); err != nil {
				t.Fatal(err)
			}
			r.rests(v.ID, "error")
			if job = r.jobEnds(v.ID); job.State != db.JobCancelled || !strings.Contains(job.Failure, "cancelled by the administrator") || len(job.Errors) != 1 {
				t.Errorf("%+v", job)
			}
			if err := jobs.Cancel(t.Context(), r.db, job.ID); !fault.Is(err, fault.Conflict) {
				t.Errorf("a second cancel: %v", err)
			}
			if m := r.messages(); len(m) != 1 || !strings.Contains(m[0].UserMessage(), "cancelled by the administrator") {
				t.Errorf("told %v", m)
			}
			if len(node.Volumes()) != 1 || node.Calls("cancel") == 0 {
				t.Errorf("on the node: %v after %d cancels", node.Volumes(), node.Calls("cancel"))
			}
			r.trueCounters()
			node.SetSlow(0)
			if err := jobs.Retry(t.Context(), r.db, job.ID); err != nil {
				t.Fatal(err)
			}
			r.rests(v.ID, "available")
			if err := jobs.Retry(t.Context(), r.db, job.ID); !fault.Is(err, fault.Conflict) {
				t.Errorf("a retry of what was made: %v", err)
			}
			r.trueCounters()
		})
	}
}

// A backup that is cancelled is in error, and its volume as it was.
func TestCancelBackup(t *testing.T) {
	r, node, _, v := newBackupRig(t, func(o *scheduler.Options) { o.Jobs.FirstWait = 50 * time.Millisecond })
	whole := r.backUp(v.ID, false, nil)
	r.backupRests(whole, db.BackupAvailable)
	node.SetSlow(time.Hour)
	node.SetProgress(400)
	cancelled := func(id string) db.Job {
		t.Helper()
		r.eventually("it is under way", func() bool {
			p, err := r.db.BackupProgress(t.Context(), id)
			q, err2 := r.db.VolumeProgress(t.Context(), v.ID)
			return err == nil && err2 == nil && p.BytesDone == 400 && p == q
		})
		if err := jobs.Cancel(t.Context(), r.db, r.jobAbout(id).ID); err != nil {
			t.Fatal(err)
		}
		job := r.jobEnds(id)
		if job.State != db.JobCancelled || job.Resource != "backup" {
			t.Errorf("%+v", job)
		}
		return job
	}
	second := r.backUp(v.ID, false, nil)
	job := cancelled(second)
	r.backupRests(second, "error")
	r.rests(v.ID, "available")
	if err := jobs.Retry(t.Context(), r.db, job.ID); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	r.restoreOver(whole, v.ID)
	job = cancelled(whole)
	r.rests(v.ID, "error_restoring")
	r.backupRests(whole, db.BackupAvailable)
	node.SetSlow(0)
	if err := jobs.Retry(t.Context(), r.db, job.ID); err != nil {
		t.Fatal(err)
	}
	r.rests(v.ID, "available")
	node.SetSlow(time.Hour)
	fresh := r.restoreToNew(whole, 1)
	r.eventually("it is restored", func() bool { return r.jobAbout(fresh).BytesDone > 0 })
	if err := jobs.Cancel(t.Context(), r.db, r.jobAbout(fresh).ID); err != nil {
		t.Fatal(err)
	}
	r.rests(fresh, "error")
	r.backupRests(whole, db.BackupAvailable)
	r.trueCounters()
}

// restoreNotBegun asks for a backup to be restored over its volume while no scheduler runs.
func restoreNotBegun(t *testing.T) (r *rig, node *nodetest.Node, v db.Volume, backup string) {
	node = keeper("a", nodetest.NewStore("one"))
	r = newRig(t, node)
	stop := r.start()
	v = r.rests(r.request(1, nil).ID, "available")
	backup = r.backUp(v.ID, false, nil)
	r.backupRests(backup, db.BackupAvailable)
	stop()
	r.restoreOver(backup, v.ID)
	return r, node, v, backup
}

// A restore over a volume that is cancelled before a scheduler has begun it leaves the
// volume as it was.
func TestCancelRestoreBeforeItBegins(t *testing.T) {
	t.Parallel()
	r, node, v, whole := restoreNotBegun(t)
	if err := jobs.Cancel(t.Context(), r.db, r.jobAbout(whole).ID); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.rests(v.ID, "available")
	if job := r.jobEnds(whole); job.State != db.JobCancelled || !strings.Contains(job.Failure, "is as it was: cancelled by the administrator") {
		t.Errorf("%+v", job)
	}
	if n := node.Calls("restore") + node.Calls("cancel"); n != 0 {
		t.Errorf("the node was asked %d times", n)
	}
	r.backupRests(whole, db.BackupAvailable)
	r.trueCounters()
}

// rescued has a job look as if a scheduler had begun it and died.
func (r *rig) rescued(resource string) error {
	_, err := r.db.Pool().Exec(r.Context(), "UPDATE river_job SET attempt = 1 WHERE id = $1", r.jobAbout(resource).ID)
	return err
}

// One that a scheduler may have begun, here by the count of a job that was rescued, is not
// begun only to be ended: it would write over the volume meanwhile. Nor is one whose job
// was lost, or that was begun anew.
func TestCancelRestoreThatMayHaveBegun(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(r *rig, backup string) error{
		"rescued": (*rig).rescued,
		"looked away": func(r *rig, backup string) error {
			_, err := r.db.Pool().Exec(t.Context(), `UPDATE river_job SET metadata = '{"snoozes": 1}' WHERE id = $1`, r.jobAbout(backup).ID)
			return err
		},
		"lost": func(r *rig, backup string) error {
			return r.db.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.MoveBackup(t.Context(), backup, db.BackupJobLost, "", nil)
				return err
			})
		},
		"begun anew": func(r *rig, backup string) error {
			b, err := r.db.Backup(t.Context(), backup, "")
			if err != nil {
				return err
			}
			return r.db.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.MoveVolume(t.Context(), *b.RestoreVolumeID, db.RestoreFailed, "", nil)
				if err == nil {
					_, err = tx.MoveVolume(t.Context(), *b.RestoreVolumeID, db.RestoreResume, "", nil)
				}
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, node, v, whole := restoreNotBegun(t)
			if err := before(r, whole); err != nil {
				t.Fatal(err)
			}
			if err := jobs.Cancel(t.Context(), r.db, r.jobAbout(whole).ID); err != nil {
				t.Fatal(err)
			}
			r.start()
			r.rests(v.ID, "error_restoring")
			if job := r.jobEnds(whole); job.State != db.JobCancelled || !strings.Contains(job.Failure, "cancelled by the administrator") {
				t.Errorf("%+v", job)
			}
			if n := node.Calls("restore"); n != 0 {
				t.Errorf("the node was asked %d times to write over the volume", n)
			}
			r.backupRests(whole, db.BackupAvailable)
			if err := jobs.Retry(t.Context(), r.db, r.jobAbout(whole).ID); err != nil {
				t.Fatal(err)
			}
			r.rests(v.ID, "available")
			r.trueCounters()
		})
	}
}

// One at a node that does not answer is not gone on with when that is back.
func TestCancelRestoreOfASilentNode(t *testing.T) {
	t.Parallel()
	node := keeper("a", nodetest.NewStore("one"))
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) {
		o.Jobs.FirstWait, o.Jobs.Pause = 50*time.Millisecond, 50*time.Millisecond
		o.Jobs.PlacePatience, o.Jobs.Patience = time.Second, time.Second
	}
	stop := r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	whole := r.backUp(v.ID, false, nil)
	r.backupRests(whole, db.BackupAvailable)
	stop()
	r.restoreOver(whole, v.ID)
	if err := r.rescued(whole); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"restore", "operation", "cancel"} {
		node.Break(nodetest.Fault{Method: method, Err: fault.New(fault.Unavailable, "x")})
	}
	if err := jobs.Cancel(t.Context(), r.db, r.jobAbout(whole).ID); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.rests(v.ID, "error_restoring")
	if job := r.jobEnds(whole); job.State != db.JobCancelled {
		t.Errorf("%+v", job)
	}
	node.Mend()
	r.sweep()
	if v := r.read(v.ID); v.Status != "error_restoring" || node.Calls("restore") != 0 {
		t.Errorf("%s, and its node was asked %d times", v.Status, node.Calls("restore"))
	}
}

// A migration that is cancelled leaves the volume where it is.
func TestCancelMigration(t *testing.T) {
	w := newTwo(t)
	w.b.SetSlow(time.Hour)
	w.b.SetProgress(600)
	w.migrate("b@lvm", true)
	// Its first step, which is short, is slow here too, and may be what is ended.
	w.eventually("it is under way", func() bool { return w.jobAbout(w.v.ID).BytesDone > 0 })
	if err := jobs.Cancel(t.Context(), w.db, w.jobAbout(w.v.ID).ID); err != nil {
		t.Fatal(err)
	}
	w.ends("error")
	if job := w.jobEnds(w.v.ID); job.State != db.JobCancelled {
		t.Errorf("%+v", job)
	}
	w.b.SetSlow(0)
	w.is(onA)
}

// The scheduler that was asked dies: the next one does it.
func TestCancelOutlivesTheScheduler(t *testing.T) {
	r, _, images := newImageRig(t)
	adjust := r.adjust
	r.adjust = func(o *scheduler.Options) { adjust(o); o.Jobs.FirstWait = 50 * time.Millisecond }
	stop := r.start()
	r.network.Nodes()[0].SetSlow(time.Hour)
	v := r.imaged()
	r.eventually("it copies", func() bool { return r.network.Nodes()[0].Calls("copy_image") > 0 })
	stop()
	if err := jobs.Cancel(t.Context(), r.db, r.jobAbout(v.ID).ID); err != nil {
		t.Fatal(err)
	}
	if job := r.jobAbout(v.ID); job.State != db.JobCancelling || job.CancelAsked == nil {
		t.Errorf("%+v", job)
	}
	r.start()
	r.rests(v.ID, "error")
	if images.asked != 1 {
		t.Errorf("the image service was asked %d times", images.asked)
	}
}

// What has no place yet, or whose image cannot be had, is cancelled too; and a
// node that has died is not waited for without end.
func TestCancelBeforeTheCopy(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(r *rig, node *nodetest.Node, images *fakeImages){
		"no place": func(_ *rig, node *nodetest.Node, _ *fakeImages) { node.SetDown(true) },
		"no image": func(_ *rig, _ *nodetest.Node, images *fakeImages) {
			images.set(func(f *fakeImages) { f.err = fault.New(fault.Unavailable, "no answer") })
		},
		"silent": func(_ *rig, node *nodetest.Node, _ *fakeImages) {
			node.Break(nodetest.Fault{Method: "copy_image", Err: fault.New(fault.Unavailable, "x")})
			node.Break(nodetest.Fault{Method: "operation", Err: fault.New(fault.Unavailable, "x")})
			node.Break(nodetest.Fault{Method: "cancel", Err: fault.New(fault.Unavailable, "x")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, node, images := newImageRig(t)
			adjust := r.adjust
			r.adjust = func(o *scheduler.Options) {
				adjust(o)
				o.Jobs.Pause, o.Jobs.PlacePatience, o.Jobs.ImageTries = 50*time.Millisecond, time.Second, 1000
				o.ServiceDownTime = time.Second
			}
			r.start()
			prepare(r, node, images)
			v := r.imaged()
			r.eventually("it waits", func() bool { return r.jobAbout(v.ID).Looks > 0 })
			if err := jobs.Cancel(t.Context(), r.db, r.jobAbout(v.ID).ID); err != nil {
				t.Fatal(err)
			}
			r.rests(v.ID, "error")
			if job := r.jobEnds(v.ID); job.State != db.JobCancelled {
				t.Errorf("%+v", job)
			}
			r.trueCounters()
		})
	}
}

// A cancel and the end of the copy meet: the volume is in error with nothing on
// the node, or available with all of it.
func TestCancelMeetsTheEnd(t *testing.T) {
	r, node, source := newCopyRig(t)
	outcomes := map[string]int{}
	for i := range 12 {
		node.SetSlow(time.Duration(20+10*i) * time.Millisecond)
		v := copies[[]string{"image", "clone"}[i%2]](r, source)
		r.eventually("it has begun", func() bool { return r.read(v.ID).PoolID != nil || r.jobAbout(v.ID).Ended() })
		_ = jobs.Cancel(t.Context(), r.db, r.jobAbout(v.ID).ID) // it may be too late
		r.jobEnds(v.ID)
		got := r.read(v.ID)
		if _, there := node.Volumes()[v.ID]; got.Status != "available" && got.Status != "error" || there != (got.Status == "available") {
			t.Errorf("%s, there: %v", got.Status, there)
		}
		outcomes[got.Status]++
	}
	r.trueCounters()
	t.Log(outcomes)
}

func TestWhatCannotBeCancelledOrRetried(t *testing.T) {
	r, node, source := newCopyRig(t)
	r.extend(source.ID, 2)
	r.eventually("it grows", func() bool { return node.Calls("extend") > 0 })
	job := r.jobAbout(source.ID)
	if err := jobs.Cancel(t.Context(), r.db, job.ID); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "what has grown cannot shrink") {
		t.Error(err)
	}
	for _, err := range []error{jobs.Cancel(t.Context(), r.db, 1<<40), jobs.Retry(t.Context(), r.db, 1<<40)} {
		if !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	}
	node.SetSlow(0)
	node.Forget()
	r.rests(source.ID, "available")
	node.Break(nodetest.Fault{Method: "extend", Err: fault.New(fault.NoSpace, "full")})
	r.extend(source.ID, 3)
	r.rests(source.ID, "error_extending")
	if job = r.jobEnds(source.ID); job.State != db.JobFailed || !strings.Contains(job.Failure, "full") {
		t.Errorf("%+v", job)
	}
	if err := jobs.Retry(t.Context(), r.db, job.ID); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "through the API") {
		t.Error(err)
	}
}

// A deletion that has failed is begun anew, of volumes and snapshots.
func TestRetryDeletion(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	node.Break(nodetest.Fault{Method: "destroy", Err: fault.New(fault.Internal, "broken")})
	r.delete(v.ID)
	r.rests(v.ID, "error_deleting")
	node.Mend()
	if err := jobs.Retry(t.Context(), r.db, r.jobEnds(v.ID).ID); err != nil {
		t.Fatal(err)
	}
	r.rests(v.ID, "deleted")
	r.trueCounters()
}

func TestJobLists(t *testing.T) {
	r, _, source := newCopyRig(t)
	v := r.imaged()
	r.eventually("it copies", func() bool { return r.jobAbout(v.ID).BytesDone > 0 })
	for _, c := range []struct {
		filter db.JobFilter
		want   int
	}{
		{db.JobFilter{}, 1}, {db.JobFilter{All: true}, 2}, {db.JobFilter{States: []string{db.JobDone}}, 1}, {db.JobFilter{States: []string{db.JobRunning}}, 1},
		{db.JobFilter{States: []string{db.JobFailed, db.JobWaiting}}, 0}, {db.JobFilter{All: true, Kinds: []string{"volume_create"}}, 2},
		{db.JobFilter{All: true, Kinds: []string{"volume_delete"}}, 0}, {db.JobFilter{All: true, Resource: source.ID}, 1},
		{db.JobFilter{All: true, Resource: uuid.NewString()}, 0}, {db.JobFilter{Resource: source.ID}, 0},
	} {
		c.filter.Limit = 10
		got, err := r.db.Jobs(t.Context(), c.filter)
		if err != nil || len(got) != c.want {
			t.Errorf("%+v: %d jobs, %v", c.filter, len(got), err)
		}
	}
	job := r.jobAbout(v.ID)
	if status, err := r.db.StatusOf(t.Context(), job); err != nil || status != "downloading" || !strings.HasPrefix(job.Worker, "control") || job.RequestID == "" {
		t.Errorf("%s, %v, %+v", status, err, job)
	}
	if _, err := r.db.Job(context.Background(), 1<<40); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

// Every kind of job that package db knows has somebody who works on it, and says what an
// administrator can do with it.
func TestEveryKindIsRegistered(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../db/*.go")
	if err != nil {
		t.Fatal(err)
	}
	kind := regexp.MustCompile(`Args\) Kind\(\) string\s*\{ return "([a-z_]+)" \}`)
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range kind.FindAllStringSubmatch(string(text), -1) {
			found++
			if c := jobs.ControlOf(m[1]); (c.Again == nil) == (c.CannotRetry == "") || strings.Contains(fmt.Sprint(c.CannotCancel), "does not know") {
				t.Errorf("of %s its file in scheduler/jobs registers %+v", m[1], c)
			}
		}
	}
	if found < 16 {
		t.Errorf("only %d kinds were found", found)
	}
}
