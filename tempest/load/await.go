package load

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// pace says when to look. Looking all the time would measure little but the
// looks; so the first one comes when most of the time has passed that the same
// thing took last, and the others at short intervals. Who finds it done at the
// first look may have overslept, and comes much earlier the next time.
type pace struct {
	interval time.Duration
	expected atomic.Int64 // nanoseconds; 0 at first: look at once
}

func (p *pace) first() time.Duration { return time.Duration(p.expected.Load()) * 3 / 4 }

// next is the pause between looks: the interval, or a sixteenth of what is
// expected, for what takes long need not be known to the millisecond.
func (p *pace) next() time.Duration {
	return max(p.interval, time.Duration(p.expected.Load())/16)
}

func (p *pace) learn(took time.Duration, looks int) {
	if looks == 1 {
		took /= 2
	}
	p.expected.Store(int64(took))
}

// gone is the state of what is no longer there.
const gone = ""

// await looks at the object until it has the status, or is gone.
func (w *worker) await(p *pace, path, status string, limit time.Duration) error {
	begin := time.Now()
	time.Sleep(p.first())
	for looks := 1; ; looks++ {
		now, err := w.status(path)
		switch {
		case err != nil:
			return err
		case now == status:
			p.learn(time.Since(begin), looks)
			return nil
		case now == gone || strings.HasPrefix(now, "error"):
			return fmt.Errorf("%s is %q, not %q", path, now, status)
		case time.Since(begin) > limit:
			return fmt.Errorf("%s is still %q after %v", path, now, limit)
		}
		time.Sleep(p.next())
	}
}

func (w *worker) status(path string) (string, error) {
	body, err := w.call("GET", path, nil)
	var r *refusal
	if errors.As(err, &r) && r.status == 404 {
		return gone, nil
	}
	return text(body, "status"), err
}
