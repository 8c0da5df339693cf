package api

import (
	"context"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/keys"
)

// movedKey is a volume's key on its way from one project to another: a copy is
// made, the volume and its snapshots get it, and the former one goes.
type movedKey struct {
	call       *Call
	volume     string
	from       string
	to         string
	fromBearer keys.Bearer
	toBearer   keys.Bearer
}

// moveKey copies a volume's key for another owner; nil for a volume without. While
// a volume is on offer its key is Clinker's own: nobody else's token could hand it
// on when the offer is accepted.
func (c *Call) moveKey(v db.Volume, to keys.Bearer) (*movedKey, error) {
	if v.EncryptionKeyID == nil {
		return nil, nil
	}
	if c.server.Keys == nil {
		return nil, noKeyManager()
	}
	kept, known, err := c.database().KeptKey(c.Context(), *v.EncryptionKeyID)
	if err != nil || known && kept.ProjectID == to.ProjectID {
		return nil, err // it is there already: an administrator has reset the volume's status
	}
	from := c.holder(kept, known)
	k, err := c.server.Keys.Key(c.Context(), from, *v.EncryptionKeyID)
	if err != nil {
		return nil, keyError(err)
	}
	id, err := c.makeKey(to, db.KeyOfVolume, "volume-"+v.ID, k)
	if err != nil {
		return nil, err
	}
	return &movedKey{c, v.ID, *v.EncryptionKeyID, id, from, to}, nil
}

// write gives the volume and its snapshots the copy, in the transaction of the
// move. Conflict when the volume has another key by now.
func (m *movedKey) write(tx *db.Tx) error {
	if m == nil {
		return nil
	}
	return tx.SwapKey(m.call.Context(), m.volume, m.from, m.to)
}

// end deletes the key that nobody has any more: the former one, or when the move
// failed the copy.
func (m *movedKey) end(err error) {
	if m == nil {
		return
	}
	if err != nil {
		m.call.abandonKey(m.toBearer, m.to)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.call.Context()), keyTimeout)
	defer cancel()
	m.call.deleteKey(ctx, m.fromBearer, m.from)
}

// homeBearer is who gets the key back when an offer is withdrawn: the project that
// offers the volume. Where a key can be made with a project's own token only, it
// is that project that must withdraw it.
func (c *Call) homeBearer(v db.Volume) (keys.Bearer, error) {
	b := c.bearer()
	if v.EncryptionKeyID == nil || v.ProjectID == b.ProjectID {
		return b, nil
	}
	if c.server.Keys == nil || !c.server.Keys.Trusted() {
		return b, fault.New(fault.Invalid, "Invalid volume: Volume %s is encrypted, and its key can be given back to its project with that project's own token only.", v.ID)
	}
	return keys.Bearer{ProjectID: v.ProjectID, UserID: v.UserID}, nil
}
