package scheduler_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/openstack/nova"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

// fakeCompute is a compute service that fails a number of times.
type fakeCompute struct {
	r        *rig
	mu       sync.Mutex
	failures int
	err      error
	refused  []nova.Refusal
	told     []string
	sizes    []int // of the volume when it was told
	asked    int
}

func (f *fakeCompute) VolumeExtended(ctx context.Context, id string, servers []string) ([]nova.Refusal, error) {
	v, err := f.r.db.Volume(ctx, id, "")
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.failures--; f.failures >= 0 {
		return f.refused, f.err
	}
	f.told, f.sizes = append(f.told, servers...), append(f.sizes, v.SizeGiB)
	return nil, nil
}

// VolumeReimaged tells of a volume by the size it had.
func (f *fakeCompute) VolumeReimaged(ctx context.Context, id string, servers []string) ([]nova.Refusal, error) {
	return f.VolumeExtended(ctx, id, servers)
}

func (f *fakeCompute) SwapVolume(context.Context, string, string, string) error {
	return fault.New(fault.Unsupported, "not here")
}

func (f *fakeCompute) servers() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.told)
}

// newComputeRig has a volume with an attachment of each of so many servers, and
// one of another host.
func newComputeRig(t *testing.T, servers int) (*rig, *fakeCompute, db.Volume, []string) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	compute := &fakeCompute{r: r}
	r.adjust = func(o *scheduler.Options) { o.Jobs.Compute, o.Jobs.Pause = compute, time.Millisecond }
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	r.attachment(v, node, db.AttachAttached, `{}`, false)
	var ids []string
	for range servers {
		a := r.attachment(v, node, db.AttachAttached, `{}`, false)
		ids = append(ids, uuid.NewString())
		if _, err := r.db.Pool().Exec(t.Context(), "UPDATE attachments SET instance_uuid = $1 WHERE id = $2", ids[len(ids)-1], a.ID); err != nil {
			t.Fatal(err)
		}
	}
	return r, compute, v, ids
}

func (r *rig) noJobs() {
	r.Helper()
	r.eventually("every job is over", func() bool {
		left := 0
		err := r.db.Pool().QueryRow(r.Context(), "SELECT count(*) FROM river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded')").Scan(&left)
		return err == nil && left == 0
	})
}

// Every server is told once, when the volume has its size; hosts without Nova are
// not asked for.
func TestServersAreToldOfGrowth(t *testing.T) {
	r, compute, v, ids := newComputeRig(t, 2)
	r.extend(v.ID, 3)
	r.rests(v.ID, "in-use")
	r.noJobs()
	slices.Sort(compute.told)
	slices.Sort(ids)
	if !slices.Equal(compute.told, ids) || !slices.Equal(compute.sizes, []int{3}) || len(r.messages()) != 0 {
		t.Errorf("told %v at sizes %v", compute.told, compute.sizes)
	}
}

func TestNobodyIsToldOfGrowth(t *testing.T) {
	r, compute, v, _ := newComputeRig(t, 0)
	r.extend(v.ID, 3)
	r.rests(v.ID, "in-use")
	r.noJobs()
	if compute.asked != 0 {
		t.Error(compute.told)
	}
}

// Nova that is away for a while is told later; the volume does not wait.
func TestNovaComesBack(t *testing.T) {
	r, compute, v, ids := newComputeRig(t, 1)
	compute.failures, compute.err = 3, fault.New(fault.Unavailable, "no answer")
	r.extend(v.ID, 3)
	r.rests(v.ID, "in-use")
	r.noJobs()
	if !slices.Equal(compute.servers(), ids) || compute.asked != 4 || len(r.messages()) != 0 {
		t.Errorf("told %v after %d tries", compute.told, compute.asked)
	}
}

// Nova that stays away is given up, and the user is told.
func TestNovaStaysAway(t *testing.T) {
	r, compute, v, _ := newComputeRig(t, 1)
	compute.failures, compute.err = 1000, fault.New(fault.Forbidden, "no")
	r.extend(v.ID, 3)
	if v = r.rests(v.ID, "in-use"); v.SizeGiB != 3 {
		t.Error(v.SizeGiB)
	}
	r.noJobs()
	if m := r.messages(); len(m) != 1 || m[0].EventID != "VOLUME_VOLUME_007_009" || !strings.Contains(m[0].UserMessage(), "after a reboot") || compute.asked != 6 {
		t.Errorf("%v after %d tries", m, compute.asked)
	}
}

// What would not change by asking again is not asked again: there is no compute
// service, no such server, or it is on no host.
func TestNovaWillNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err     error
		refused []nova.Refusal
	}{
		"no service": {err: fault.New(fault.Unsupported, "none")},
		"no server":  {refused: []nova.Refusal{{ServerID: "a", Status: 404}, {ServerID: "b", Status: 422}}},
	} {
		t.Run(name, func(t *testing.T) {
			r, compute, v, _ := newComputeRig(t, 1)
			compute.failures, compute.err, compute.refused = 1000, c.err, c.refused
			r.extend(v.ID, 3)
			r.rests(v.ID, "in-use")
			r.noJobs()
			if compute.asked != 1 || len(r.messages()) != 0 {
				t.Errorf("asked %d times", compute.asked)
			}
		})
	}
}
