package volumed

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// TestAPoolThatComesLate: a pool whose disks are missing when the node starts is refused
// by name, the other is served, and when it can be opened its exports come back.
func TestAPoolThatComesLate(t *testing.T) {
	t.Parallel()
	c, r := newCloud(t), newRig(t)
	v := r.volume()
	r.attach(v, uuid.NewString(), "host1")
	r.stop()
	r.target = newFakeTarget() // the machine was off
	there := make(chan struct{})
	late := Pool{Backend: "file", Name: "file", Target: r.target, IQNPrefix: prefix,
		Trouble: fault.New(fault.Unavailable, "there is no volume group slow"),
		Open: func(context.Context) (backend.Backend, error) {
			select {
			case <-there:
				return r.storage, nil
			default:
				return nil, fault.New(fault.Unavailable, "there is still no volume group slow")
			}
		}}
	r.options.OpenInterval = time.Millisecond
	r.startWith(late, Pool{Backend: "fast", Name: "fast", Storage: &fakeStorage{Backend: r.storage.Backend}, Target: newFakeTarget(), IQNPrefix: prefix})
	_, stop := r.run(c)

	if _, err := r.Exports(t.Context(), poolName); !fault.Is(err, fault.Unavailable) {
		t.Errorf("exports of a pool that is not open: %v", err)
	}
	if stats, err := r.Stats(t.Context()); err != nil || len(stats.Pools) != 1 || stats.Pools[0].Name != "fast" {
		t.Errorf("stats: %v %v", stats, err)
	}
	if _, err := r.Create(t.Context(), fence(uuid.NewString(), 1), poolName, size, false); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a volume in a pool that is not open: %v", err)
	}
	close(there)
	for present := false; !present; {
		all, err := r.Exports(t.Context(), poolName)
		present = err == nil && len(all) == 1 && all[0].Present
		if t.Context().Err() != nil {
			t.Fatal("the export does not come back")
		}
	}
	r.must(stop())
}
