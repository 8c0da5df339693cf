package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"

	"clinker/db"
	"clinker/internal/fault"
)

// follower shows how jobs go on.
type follower interface {
	show(job db.Job)
	end()
}

func newFollower(ctx context.Context, asJSON bool) follower {
	switch {
	case asJSON:
		return jsonLines{json.NewEncoder(os.Stdout)}
	case cwriter.IsTerminal(int(os.Stdout.Fd())):
		return &bars{all: map[int64]*bar{}, container: mpb.NewWithContext(ctx, mpb.WithWidth(32), mpb.WithRefreshRate(refresh/2))}
	}
	return lines{}
}

// follow shows each job whenever it has changed, until all have ended.
func follow(ctx context.Context, d *db.DB, jobs []db.Job, to follower) error {
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	defer to.end()
	seen := map[int64]string{}
	for {
		left := jobs[:0]
		for _, j := range jobs {
			if is := fmt.Sprint(j.State, j.BytesDone, j.BytesTotal, j.Looks > 0); seen[j.ID] != is {
				seen[j.ID] = is
				to.show(j)
			}
			if !j.Ended() {
				left = append(left, j)
			}
		}
		if jobs = left; len(jobs) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var err error
		if jobs, err = lookAgain(ctx, d, jobs); err != nil {
			return err
		}
	}
}

// lookAgain reads jobs as they are now; one that is not kept any more is done.
func lookAgain(ctx context.Context, d *db.DB, jobs []db.Job) ([]db.Job, error) {
	for i, j := range jobs {
		now, err := d.Job(ctx, j.ID)
		if fault.Is(err, fault.NotFound) {
			ended := time.Now()
			now, err = j, nil
			now.State, now.EndedAt = db.JobDone, &ended
		}
		if err != nil {
			if ctx.Err() != nil {
				return jobs, nil
			}
			return nil, err
		}
		jobs[i] = now
	}
	return jobs, nil
}

// lines are for a log or a pipe.
type lines struct{}

func (lines) show(j db.Job) {
	text := fmt.Sprintf("%s job %d %s %s: %s", time.Now().UTC().Format("15:04:05"), j.ID, j.Kind, j.ResourceID, j.State)
	if p := progress(j); p != "" {
		text += ", " + p
	}
	if why := reasonOf(j); why != "" {
		text += ", " + why
	}
	fmt.Println(text)
}

func (lines) end() {}

// jsonLines are for programs.
type jsonLines struct{ *json.Encoder }

func (l jsonLines) show(j db.Job) { _ = l.Encode(j) } // nobody reads any more; Ctrl-C will follow

func (jsonLines) end() {}

// bars are for a terminal.
type bars struct {
	container *mpb.Progress
	all       map[int64]*bar
}

// bar is a job's.
type bar struct {
	*mpb.Bar
	words atomic.Pointer[string] // behind the bar
	first db.Job                 // as it was seen first
	since time.Time
}

func (b *bars) show(j db.Job) {
	one := b.all[j.ID]
	if one == nil {
		one = b.add(j)
		b.all[j.ID] = one
	}
	one.words.Store(new(one.describe(j)))
	if j.BytesTotal > 0 {
		one.SetTotal(j.BytesTotal, false)
	}
	one.SetCurrent(j.BytesDone)
	switch {
	case j.State == db.JobDone:
		one.SetTotal(max(j.BytesTotal, one.Current()), true)
	case j.Ended():
		one.Abort(false)
	}
}

func (b *bars) add(j db.Job) *bar {
	one := &bar{first: j, since: time.Now()}
	one.words.Store(new(""))
	name := fmt.Sprintf("%d %s %.8s ", j.ID, j.Kind, j.ResourceID)
	// A total of its own would end the bar before the job has.
	one.Bar = b.container.AddBar(0, mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f", decor.WCSyncSpace),
			decor.Any(func(decor.Statistics) string { return *one.words.Load() }, decor.WCSyncSpaceR)))
	return one
}

// describe tells the state and, of a copy, how fast it has been since it was seen
// first.
func (b *bar) describe(j db.Job) string {
	text := " " + j.State
	if took := time.Since(b.since); j.State == db.JobRunning && j.BytesDone > b.first.BytesDone && took > 0 {
		text += ", " + size(int64(float64(j.BytesDone-b.first.BytesDone)/took.Seconds())) + "/s"
	}
	return text
}

// end lets the bars stand as they are, the unfinished ones too.
func (b *bars) end() {
	for _, one := range b.all {
		one.Abort(false)
	}
	b.container.Wait()
}
