package api

import (
	"clinker/db"
	"clinker/internal/fault"
)

// groupKeys are the keys of a group's copies, by the key of what each is a copy of:
// every member has one of its own.
type groupKeys map[string]*volumeKeys

// copyGroupKeys copies the keys of what a group is to be made of. The source is
// not held meanwhile: what has changed by then is refused in the transaction.
func (c *Call) copyGroupKeys(from groupCopy) (groupKeys, error) {
	ids, err := c.database().KeysOfGroup(c.Context(), from.SourceGroupID, from.GroupSnapshotID)
	copied := groupKeys{}
	for _, id := range ids {
		if err == nil {
			copied[id], err = c.copyKey(id, db.KeyOfVolume, "group member")
		}
	}
	if err != nil {
		copied.abandon()
		return nil, err
	}
	return copied, nil
}

// copyKey puts a copy of a key into the caller's project.
func (c *Call) copyKey(id, use, name string) (*volumeKeys, error) {
	k, err := c.readKey(id)
	if err != nil {
		return nil, err
	}
	made, err := c.makeKey(c.bearer(), use, name, k)
	if err != nil {
		return nil, err
	}
	return &volumeKeys{call: c, key: made}, nil
}

// give gives a member its copy. Conflict when there is none: the source is not as
// it was.
func (g groupKeys) give(tx *db.Tx, v *db.Volume) error {
	if v.EncryptionKeyID == nil {
		return nil
	}
	k := g[*v.EncryptionKeyID]
	if k == nil {
		return fault.New(fault.Conflict, "The volumes of the group were changed by another request at the same time.")
	}
	k.keep(tx, v.ID)
	v.EncryptionKeyID = &k.key
	return nil
}

func (g groupKeys) abandon() {
	for _, k := range g {
		k.abandon()
	}
}
