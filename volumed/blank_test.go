package volumed

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/google/uuid"

	"clinker/volumed/backend"
)

// foreign is a pool that gives away what was somebody else's as it is.
type foreign struct{ backend.Backend }

func (f foreign) Import(ctx context.Context, name string, size int64, write func(context.Context, string, bool) error) error {
	return f.Backend.Import(ctx, name, size, func(ctx context.Context, path string, _ bool) error {
		if err := os.WriteFile(path, bytes.Repeat([]byte{7}, int(size)), 0); err != nil {
			return err
		}
		return write(ctx, path, false)
	})
}

func (f foreign) Create(ctx context.Context, name string, size int64) error {
	return f.Import(ctx, name, size, func(context.Context, string, bool) error { return nil })
}

// TestBlank: a volume that is to be encrypted begins with zeroes in every pool, and is
// the same when it is asked for again.
func TestBlank(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.storage.Backend = foreign{r.storage.Backend}
	for size, zeroes := range map[int64]int{headBytes + 4096: headBytes, 4096: 4096} {
		id := uuid.NewString()
		for generation := range int64(2) {
			r.done(r.Create(t.Context(), fence(id, generation+1), poolName, size, true))
		}
		path, err := r.storage.Device(t.Context(), backend.VolumeName(id))
		r.must(err)
		content, err := os.ReadFile(path)
		r.must(err)
		if got := bytes.Count(content, []byte{0}); int64(len(content)) != size || got != zeroes || !bytes.Equal(content[:zeroes], make([]byte, zeroes)) {
			t.Errorf("%d of %d bytes are zeroes, want the first %d", got, len(content), zeroes)
		}
	}
}
