package pace

import (
	"context"

	"golang.org/x/time/rate"
)

// turnBytes is the most that a copy gets in one turn; parts is into how many turns
// a second is cut where that makes less of it.
const (
	turnBytes = 256 << 10
	parts     = 10
)

// Budget is how many bytes may be moved in a second, by all its copies together.
// It may be used by many goroutines at once; nil is no bound.
type Budget struct {
	limiter *rate.Limiter
	turn    int64
}

// New gives a budget; nil, which bounds nothing, for 0 bytes a second or fewer.
func New(bytesPerSecond int64) *Budget {
	if bytesPerSecond <= 0 {
		return nil
	}
	burst := int(max(1, min(bytesPerSecond/parts, 1<<30)))
	return &Budget{
		limiter: rate.NewLimiter(rate.Limit(bytesPerSecond), burst),
		turn:    min(int64(burst), turnBytes),
	}
}

// Spend waits until that many bytes may be moved, and tells why not when ctx ends
// first. It is for work that is not a Copy; all such work together stands in line
// as it comes.
func (b *Budget) Spend(ctx context.Context, bytes int64) error {
	for b != nil && bytes > 0 {
		part := min(bytes, b.turn)
		if err := b.limiter.WaitN(ctx, int(part)); err != nil {
			return cut(ctx, err)
		}
		bytes -= part
	}
	return cut(ctx, ctx.Err())
}
