package journal

import (
	"encoding/json"
	"slices"

	"go.etcd.io/bbolt"
)

// Kept are the snapshots that backups of a volume were or are read from: the one
// under way, the one that is kept for what will have changed since, and what crashes
// left. They bear the backups' ids.
type Kept struct {
	Volume  string   `json:"volume"`
	Pool    string   `json:"pool"`
	Backups []string `json:"backups"`
	// Stills are the snapshots that images are being made of, by the images' ids, with
	// their pools. No process but the one that took them needs them.
	Stills map[string]string `json:"stills,omitempty"`
}

// Kept gives those of a volume.
func (j *Journal) Kept(volume string) (k Kept, err error) {
	err = j.db.View(func(tx *bbolt.Tx) error {
		_, err := get(tx.Bucket(bucketKept), volume, &k)
		return err
	})
	return k, err
}

// Keep adds a backup's snapshot, durably: that comes before the snapshot.
func (j *Journal) Keep(volume, pool, backup string) error {
	return j.changeKept(volume, func(k *Kept) {
		k.Pool = pool
		if !slices.Contains(k.Backups, backup) {
			k.Backups = append(k.Backups, backup)
		}
	})
}

// Unkeep forgets one that is gone.
func (j *Journal) Unkeep(volume, backup string) error {
	return j.changeKept(volume, func(k *Kept) {
		k.Backups = slices.DeleteFunc(k.Backups, func(b string) bool { return b == backup })
	})
}

// KeepStill adds the snapshot that an image is to be made of, durably: that comes
// before the snapshot.
func (j *Journal) KeepStill(volume, pool, image string) error {
	return j.changeKept(volume, func(k *Kept) {
		if k.Stills == nil {
			k.Stills = map[string]string{}
		}
		k.Stills[image] = pool
	})
}

// UnkeepStill forgets one that is gone.
func (j *Journal) UnkeepStill(volume, image string) error {
	return j.changeKept(volume, func(k *Kept) { delete(k.Stills, image) })
}

// Stills gives the volumes that have any.
func (j *Journal) Stills() (all []Kept, err error) {
	err = j.eachKept(func(k Kept) {
		if len(k.Stills) > 0 {
			all = append(all, k)
		}
	})
	return all, err
}

func (j *Journal) eachKept(visit func(Kept)) error {
	return j.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketKept).ForEach(func(_, data []byte) error {
			var k Kept
			if err := json.Unmarshal(data, &k); err != nil {
				return err
			}
			visit(k)
			return nil
		})
	})
}

func (j *Journal) changeKept(volume string, change func(*Kept)) error {
	return j.update(func(tx *bbolt.Tx) (bool, error) {
		k := Kept{Volume: volume}
		bucket := tx.Bucket(bucketKept)
		if _, err := get(bucket, volume, &k); err != nil {
			return false, err
		}
		if change(&k); len(k.Backups) == 0 && len(k.Stills) == 0 {
			return true, bucket.Delete([]byte(volume))
		}
		return true, put(bucket, volume, k)
	})
}

// KeptFor gives the volume whose kept snapshots a backup's is among, false when there
// is none.
func (j *Journal) KeptFor(backup string) (found Kept, ok bool, err error) {
	err = j.eachKept(func(k Kept) {
		if slices.Contains(k.Backups, backup) {
			found, ok = k, true
		}
	})
	return found, ok, err
}
