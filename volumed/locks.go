package volumed

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"

	"clinker/internal/fault"
)

// everyone is what an exclusive holder takes of a lock; a sharer takes 1.
const everyone = 1 << 30

// space tells apart what about a volume is worked on separately. A copy may read
// a volume for hours, and meanwhile machines log in and out; but while it
// grows, which is short, LVM may have to take its device away for an instant.
// Locks are taken in this order, always.
type space int

const (
	storageOf space = iota // the bytes, by volume or snapshot id
	exportOf               // who may log in, by volume id
	deviceOf               // the device is there, by volume id
)

// want is a lock to be taken. Nobody wants one lock both shared and alone.
type want struct {
	space  space
	id     string
	shared bool // with others that only read
}

func (w want) key() want { return want{space: w.space, id: w.id} }

// locks has one lock for each thing that somebody works on or waits for.
type locks struct {
	mu   sync.Mutex
	held map[want]*lock
}

type lock struct {
	turn  *semaphore.Weighted
	users int
}

func newLocks() *locks { return &locks{held: map[want]*lock{}} }

// acquire takes all locks, in an order that lets nobody wait in a circle.
// Those who come first are served first. Timeout or the cause when ctx ends.
func (l *locks) acquire(ctx context.Context, wants ...want) (release func(), err error) {
	wants = slices.Clone(wants)
	slices.SortFunc(wants, func(a, b want) int {
		return cmp.Or(cmp.Compare(a.space, b.space), cmp.Compare(a.id, b.id))
	})
	wants = slices.CompactFunc(wants, func(a, b want) bool { return a.key() == b.key() })
	var taken []func()
	release = func() {
		for _, give := range slices.Backward(taken) {
			give()
		}
	}
	for _, w := range wants {
		give, err := l.take(ctx, w)
		if err != nil {
			release()
			return nil, err
		}
		taken = append(taken, give)
	}
	return release, nil
}

func (l *locks) take(ctx context.Context, w want) (give func(), err error) {
	l.mu.Lock()
	k := l.held[w.key()]
	if k == nil {
		k = &lock{turn: semaphore.NewWeighted(everyone)}
		l.held[w.key()] = k
	}
	k.users++
	l.mu.Unlock()

	share := int64(everyone)
	if w.shared {
		share = 1
	}
	if err := k.turn.Acquire(ctx, share); err != nil {
		l.leave(w, k)
		return nil, fault.Wrap(err, fault.Timeout, "other work on the volume did not end in time")
	}
	return func() {
		k.turn.Release(share)
		l.leave(w, k)
	}, nil
}

// leave forgets a lock that nobody uses.
func (l *locks) leave(w want, k *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.held, w.key())
	}
}
