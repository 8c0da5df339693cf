package journal

import (
	"time"

	"go.etcd.io/bbolt"

	"clinker/internal/fault"
)

// Result is how an operation ended.
type Result struct {
	ID         string     `json:"id"`
	Resource   string     `json:"resource"`
	Kind       string     `json:"kind"`
	BytesDone  int64      `json:"bytes_done,omitempty"`
	BytesTotal int64      `json:"bytes_total,omitempty"`
	Objects    int64      `json:"objects,omitempty"` // of a backup
	Code       fault.Code `json:"code,omitempty"`    // "" when it succeeded
	Message    string     `json:"message,omitempty"`
	At         time.Time  `json:"at"`
}

// Finish keeps a result for an hour, or until later ones crowd it out. It is
// known at once, and on disk within a second; a crash may lose it.
func (j *Journal) Finish(r Result) {
	r.At = time.Now()
	j.mu.Lock()
	j.pending[r.ID] = r
	j.mu.Unlock()
	j.enqueue(&change{
		apply: func(tx *bbolt.Tx) (bool, error) {
			j.ends++
			if err := tx.Bucket(bucketEnds).Put(timeKey(r.At, r.ID), nil); err != nil {
				return false, err
			}
			return true, put(tx.Bucket(bucketResults), r.ID, r)
		},
		after: func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			delete(j.pending, r.ID)
		},
	})
}

// Result gives an operation's result, false when there is none.
func (j *Journal) Result(id string) (r Result, ok bool) {
	j.mu.Lock()
	r, ok = j.pending[id]
	j.mu.Unlock()
	if ok {
		return r, true
	}
	err := j.db.View(func(tx *bbolt.Tx) (err error) {
		ok, err = get(tx.Bucket(bucketResults), id, &r)
		return err
	})
	return r, ok && err == nil
}
