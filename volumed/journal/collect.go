package journal

import (
	"bytes"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// keepResult is how long an operation's result can be asked for.
	keepResult = time.Hour
	// maxResults bounds how many are kept, an hour or not.
	maxResults = 1 << 14
	// keepTombstone is how long the fence of a resource that is gone is
	// kept: longer than any call can be on its way.
	keepTombstone = 7 * 24 * time.Hour
	// collectAtOnce bounds what one commit takes away, so that none is slow;
	// it is more than a commit adds on average.
	collectAtOnce = 64
)

// collect takes away what is too old, as part of a commit.
func (j *Journal) collect(tx *bbolt.Tx, now time.Time) error {
	if err := j.collectResults(tx, now); err != nil {
		return err
	}
	return collectTombstones(tx, now)
}

func (j *Journal) collectResults(tx *bbolt.Tx, now time.Time) error {
	return oldest(tx.Bucket(bucketEnds), func(at time.Time, id string) (bool, error) {
		if j.ends <= maxResults && now.Sub(at) < keepResult {
			return false, nil
		}
		j.ends--
		return true, tx.Bucket(bucketResults).Delete([]byte(id))
	})
}

func collectTombstones(tx *bbolt.Tx, now time.Time) error {
	return oldest(tx.Bucket(bucketTombs), func(at time.Time, resource string) (bool, error) {
		if now.Sub(at) < keepTombstone {
			return false, nil
		}
		r, err := fenceOf(tx, resource)
		if err != nil || len(r.Ended) == 0 || r.At.After(at) {
			return true, err // alive again, or a later entry speaks for it
		}
		return true, tx.Bucket(bucketFences).Delete([]byte(resource))
	})
}

// oldest goes through an index by time until drop says that an entry stays.
func oldest(index *bbolt.Bucket, drop func(at time.Time, id string) (bool, error)) error {
	var gone [][]byte
	c := index.Cursor()
	for key, _ := c.First(); key != nil && len(gone) < collectAtOnce; key, _ = c.Next() {
		dropped, err := drop(timeOf(key))
		if err != nil {
			return err
		}
		if !dropped {
			break
		}
		gone = append(gone, bytes.Clone(key))
	}
	for _, key := range gone {
		if err := index.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// timeKey orders by time and is unique by id.
func timeKey(at time.Time, id string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano())), id...)
}

func timeOf(key []byte) (time.Time, string) {
	return time.Unix(0, int64(binary.BigEndian.Uint64(key))), string(key[8:])
}
