package journal

import (
	"encoding/json"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"clinker/internal/fault"
	"clinker/volumed/target"
	"clinker/volumed/throttle"
)

// Export is who may log in to a volume. One without grants is being taken
// away: the target may still have it.
type Export struct {
	Volume string  `json:"volume"`
	Pool   string  `json:"pool"`
	Grants []Grant `json:"grants"`
	Limits Limits  `json:"limits,omitzero"`
}

// Limits are what a volume is limited to while it is exported, and the generation
// of its row that says so.
type Limits struct {
	throttle.Limits
	Generation int64 `json:"generation"`
}

// limit takes limits unless newer ones are known.
func (e *Export) limit(l Limits) {
	if l.Generation >= e.Limits.Generation {
		e.Limits = l
	}
}

// Grant is one attachment's access. Grants of one initiator on one volume
// have the same username and password, those of the first.
type Grant struct {
	Attachment string        `json:"attachment"`
	Initiator  string        `json:"initiator"`
	Username   string        `json:"username"`
	Password   target.Secret `json:"password"`
	ReadOnly   bool          `json:"read_only"`
	Generation int64         `json:"generation"`
}

// Grant accepts a fence whose resource is the attachment and stores its grant and
// the volume's limits, all durably. It gives the whole export as it is wanted from now on, after
// check has seen it: a fault from check refuses the grant, so that no target
// is ever asked for what it cannot do. Stale as Accept; Conflict while the
// volume is exported from another pool.
func (j *Journal) Grant(f Fence, volume string, g Grant, l Limits, check func(Export) error) (e Export, err error) {
	err = j.update(func(tx *bbolt.Tx) (bool, error) {
		if _, err := admit(tx, f); err != nil {
			return false, err
		}
		if _, err := get(tx.Bucket(bucketExports), volume, &e); err != nil {
			return false, err
		}
		if len(e.Grants) > 0 && e.Pool != f.Pool {
			return false, fault.New(fault.Conflict, "the volume is exported from another pool")
		}
		before, limits := slices.Clone(e.Grants), e.Limits
		e.Volume, e.Pool = volume, f.Pool
		e.add(f, g)
		e.limit(l)
		if err := check(e); err != nil {
			return false, err
		}
		fenced, err := accept(tx, f)
		if err != nil || !fenced && slices.Equal(before, e.Grants) && limits == e.Limits {
			return fenced, err
		}
		return true, put(tx.Bucket(bucketExports), volume, e)
	})
	return e, err
}

// add puts a grant in the place of the attachment's former one. An initiator
// has one login on a target, whatever capitals its name has (RFC 3722), so that a second attachment of the same host
// gets the credentials of the first.
func (e *Export) add(f Fence, g Grant) {
	g.Attachment, g.Generation = f.Resource, f.Generation
	place := len(e.Grants)
	for i, other := range e.Grants {
		if other.Attachment == g.Attachment {
			place = i
		} else if strings.EqualFold(other.Initiator, g.Initiator) {
			g.Username, g.Password = other.Username, other.Password
		}
	}
	e.Grants = append(slices.Clone(e.Grants[:place]), append([]Grant{g}, e.Grants[min(place+1, len(e.Grants)):]...)...)
}

// Limit stores other limits, durably, of a volume that is exported from the fence's
// pool; false when it is not. The fence, whose resource is the volume, is looked at
// and not accepted: what comes before the row has that generation may be repeated
// with another. Stale as Accept.
func (j *Journal) Limit(f Fence, l throttle.Limits) (e Export, ok bool, err error) {
	err = j.update(func(tx *bbolt.Tx) (bool, error) {
		if _, err := admit(tx, f); err != nil {
			return false, err
		}
		if ok, err = get(tx.Bucket(bucketExports), f.Resource, &e); err != nil || !ok {
			return false, err
		}
		if ok = e.Pool == f.Pool; !ok {
			return false, nil
		}
		before := e.Limits
		if e.limit(Limits{l, f.Generation}); e.Limits == before {
			return false, nil
		}
		return true, put(tx.Bucket(bucketExports), f.Resource, e)
	})
	return e, ok, err
}

// Revoke accepts a fence whose resource is the attachment and takes its grant
// away, both durably. It gives the export as it is wanted from now on, false
// when the volume has none.
func (j *Journal) Revoke(f Fence, volume string) (e Export, ok bool, err error) {
	f.Ends = true
	err = j.update(func(tx *bbolt.Tx) (bool, error) {
		fenced, err := accept(tx, f)
		if err != nil {
			return false, err
		}
		if ok, err = get(tx.Bucket(bucketExports), volume, &e); err != nil || !ok {
			return fenced, err
		}
		left := slices.DeleteFunc(slices.Clone(e.Grants), func(g Grant) bool { return g.Attachment == f.Resource })
		if len(left) == len(e.Grants) {
			return fenced, nil
		}
		e.Grants = left
		return true, put(tx.Bucket(bucketExports), volume, e)
	})
	return e, ok, err
}

// Withdraw takes back, durably, a grant that the target turned out not to be
// able to give. The fence stays as it is. It gives the export as it is wanted
// from now on.
func (j *Journal) Withdraw(volume, attachment string, generation int64) (e Export, err error) {
	err = j.update(func(tx *bbolt.Tx) (bool, error) {
		if _, err := get(tx.Bucket(bucketExports), volume, &e); err != nil {
			return false, err
		}
		left := slices.DeleteFunc(slices.Clone(e.Grants), func(g Grant) bool {
			return g.Attachment == attachment && g.Generation == generation
		})
		if len(left) == len(e.Grants) {
			return false, nil
		}
		e.Grants = left
		return true, put(tx.Bucket(bucketExports), volume, e)
	})
	return e, err
}

// Forget drops an export without grants, after the target has dropped it. It
// is no loss if a crash undoes it.
func (j *Journal) Forget(volume string) {
	j.later(func(tx *bbolt.Tx) (bool, error) {
		var e Export
		ok, err := get(tx.Bucket(bucketExports), volume, &e)
		if err != nil || !ok || len(e.Grants) > 0 {
			return false, err
		}
		return true, tx.Bucket(bucketExports).Delete([]byte(volume))
	})
}

// Export gives a volume's export, false when there is none.
func (j *Journal) Export(volume string) (e Export, ok bool, err error) {
	err = j.db.View(func(tx *bbolt.Tx) (err error) {
		ok, err = get(tx.Bucket(bucketExports), volume, &e)
		return err
	})
	return e, ok, err
}

// Exports gives all exports, those being taken away included.
func (j *Journal) Exports() (all []Export, err error) {
	err = j.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketExports).ForEach(func(_, data []byte) error {
			var e Export
			if err := json.Unmarshal(data, &e); err != nil {
				return err
			}
			all = append(all, e)
			return nil
		})
	})
	return all, err
}
