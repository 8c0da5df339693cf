package journal

import (
	"cmp"
	"errors"
	"log/slog"
	"time"

	"go.etcd.io/bbolt"

	"clinker/internal/fault"
)

// linger is how long a change that nobody waits for may stay unwritten.
const linger = time.Second

// change is one step of the journal's state. apply tells whether it wrote
// anything; a fault that it gives is a refusal, and then it wrote nothing.
type change struct {
	apply func(tx *bbolt.Tx) (wrote bool, err error)
	done  chan error // nil when nobody waits
	after func()     // when it is on disk or lost; may be nil
}

var errNothingWritten = errors.New("nothing written")

// update has a change written and waits until it is on disk.
func (j *Journal) update(apply func(tx *bbolt.Tx) (bool, error)) error {
	c := &change{apply: apply, done: make(chan error, 1)}
	if !j.enqueue(c) {
		return fault.New(fault.Unavailable, "the node is stopping")
	}
	select {
	case j.wake <- struct{}{}:
	default: // the writer has been told already
	}
	return <-c.done
}

// later has a change written within linger, or with the next that somebody
// waits for. It is lost if the process is killed before.
func (j *Journal) later(apply func(tx *bbolt.Tx) (bool, error)) {
	j.enqueue(&change{apply: apply})
}

// enqueue puts a change at the queue's end, false when the journal is closed.
func (j *Journal) enqueue(c *change) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.closed {
		j.queue = append(j.queue, c)
	}
	return !j.closed
}

// write commits the queue whenever somebody waits. One commit takes all that
// was asked for during the one before: under load many share the price of one,
// and alone nobody waits for company.
func (j *Journal) write() {
	defer close(j.stopped)
	tick := time.NewTicker(linger)
	defer tick.Stop()
	for final := false; !final; {
		select {
		case <-j.wake:
		case <-tick.C:
		case <-j.closing:
			final = true
		}
		j.mu.Lock()
		batch := j.queue
		j.queue = nil
		j.mu.Unlock()
		if len(batch) > 0 {
			j.commit(batch)
		}
	}
}

// commit applies a batch in one transaction and answers those who wait.
func (j *Journal) commit(batch []*change) {
	refusals := make([]error, len(batch))
	err := j.db.Update(func(tx *bbolt.Tx) error { return j.applyAll(tx, batch, refusals) })
	if errors.Is(err, errNothingWritten) {
		err = nil
	}
	if err != nil {
		slog.Error("the journal cannot be written", "error", err)
		err = fault.Wrap(err, fault.Internal, "the node cannot write its journal")
	}
	for i, c := range batch {
		if c.after != nil {
			c.after()
		}
		if c.done != nil {
			c.done <- cmp.Or(err, refusals[i])
		}
	}
}

func (j *Journal) applyAll(tx *bbolt.Tx, batch []*change, refusals []error) error {
	written := false
	for i, c := range batch {
		wrote, err := c.apply(tx)
		var refusal *fault.Fault
		if errors.As(err, &refusal) {
			refusals[i] = err
		} else if err != nil {
			return err
		}
		written = written || wrote
	}
	if !written {
		return errNothingWritten // rolls back: a repeated call costs no fsync
	}
	if err := j.collect(tx, time.Now()); err != nil {
		slog.Error("the journal keeps what is too old", "error", err)
	}
	return nil
}
