package journal

import (
	"encoding/json"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"clinker/internal/fault"
)

// Fence is a caller's right to change a resource. A resource is a volume, a
// snapshot or an attachment; its generation is the counter of its row in the
// control plane's database.
type Fence struct {
	Operation  string
	Resource   string
	Generation int64
	Pool       string
	// Ends says that the resource is taken away from the pool. After it, the
	// same generation can only take it away there again: the call that
	// made it may still be on its way.
	Ends bool
}

// fenceRecord is what is kept of the last accepted fence.
type fenceRecord struct {
	Generation int64     `json:"generation"`
	Operation  string    `json:"operation"`
	Ended      []string  `json:"ended,omitempty"` // pools it was taken from in this generation
	At         time.Time `json:"at"`
}

// Accept stores a fence, durably, or gives Stale when a newer generation has
// been here. Accepting the same again changes nothing.
func (j *Journal) Accept(f Fence) error {
	return j.update(func(tx *bbolt.Tx) (bool, error) { return accept(tx, f) })
}

// Check tells what Accept would, and stores nothing.
func (j *Journal) Check(f Fence) error {
	return j.db.View(func(tx *bbolt.Tx) error {
		_, err := admit(tx, f)
		return err
	})
}

// Generation gives the highest generation accepted for a resource, 0 when
// there was none.
func (j *Journal) Generation(resource string) (generation int64) {
	// View's error is the function's or that the journal is closed.
	_ = j.db.View(func(tx *bbolt.Tx) error {
		r, err := fenceOf(tx, resource)
		generation = r.Generation
		return err
	})
	return generation
}

// admit gives the record that stands, and Stale when it forbids the fence.
func admit(tx *bbolt.Tx, f Fence) (fenceRecord, error) {
	r, err := fenceOf(tx, f.Resource)
	switch {
	case err != nil:
		return r, err
	case f.Generation < r.Generation:
		return r, fault.New(fault.Stale, "generation %d came after generation %d", f.Generation, r.Generation)
	case f.Generation == r.Generation && !f.Ends && slices.Contains(r.Ended, f.Pool):
		return r, fault.New(fault.Stale, "generation %d has been taken away", f.Generation)
	}
	return r, nil
}

func accept(tx *bbolt.Tx, f Fence) (bool, error) {
	r, err := admit(tx, f)
	if err != nil {
		return false, err
	}
	ended := r.Ended
	if f.Generation > r.Generation {
		ended = nil
	}
	ends := f.Ends && !slices.Contains(ended, f.Pool)
	if f.Generation == r.Generation && !ends {
		return false, nil
	}
	now := time.Now()
	if ends {
		ended = append(slices.Clone(ended), f.Pool)
		if err := tx.Bucket(bucketTombs).Put(timeKey(now, f.Resource), nil); err != nil {
			return false, err
		}
	}
	r = fenceRecord{Generation: f.Generation, Operation: f.Operation, Ended: ended, At: now}
	return true, put(tx.Bucket(bucketFences), f.Resource, r)
}

func fenceOf(tx *bbolt.Tx, resource string) (r fenceRecord, err error) {
	_, err = get(tx.Bucket(bucketFences), resource, &r)
	return r, err
}

func get(b *bbolt.Bucket, key string, value any) (bool, error) {
	data := b.Get([]byte(key))
	if data == nil {
		return false, nil
	}
	return true, json.Unmarshal(data, value)
}

func put(b *bbolt.Bucket, key string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put([]byte(key), data)
}
