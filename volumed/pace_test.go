package volumed

import (
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/volumed/rpc"
)

// TestCopiesKeepToTheBudget: clone and image alike wait for bytes that do not
// come, and end when somebody newer wants them to.
func TestCopiesKeepToTheBudget(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	image, source := r.images(), r.volume()
	r.fill(source, 's')
	r.pools[poolName].CopyBudget = pace.New(1)
	for name, begin := range map[string]func(rpc.Fence) (*rpc.Operation, error){
		"clone": func(f rpc.Fence) (*rpc.Operation, error) {
			return r.CopyFrom(ctx, f, poolName, rpc.Source{Kind: rpc.KindVolume, ID: source}, size)
		},
		"image": func(f rpc.Fence) (*rpc.Operation, error) { return r.CopyImage(ctx, f, poolName, image.Image, size) },
	} {
		f, ended := fence(uuid.NewString(), 1), make(chan *rpc.Operation, 1)
		go func() {
			o, err := begin(f)
			if err != nil {
				t.Error(err)
			}
			ended <- o
		}()
		for o, err := r.Operation(ctx, f.OperationID, 0); err != nil; o, err = r.Operation(ctx, f.OperationID, 0) {
			if o != nil || !fault.Is(err, fault.NotFound) {
				t.Fatal(o, err)
			}
		}
		r.done(r.Destroy(ctx, fence(f.ResourceID, 2), poolName))
		if o := <-ended; o == nil || !fault.Is(o.Failure, fault.Stale) || o.BytesDone > size/2 {
			t.Errorf("%s: %v", name, o)
		}
	}
}
