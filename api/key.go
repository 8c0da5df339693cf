package api

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/keys"
)

// keyTimeout is how long the key store may take for what is done after the answer
// is decided.
const keyTimeout = 10 * time.Second

// bearer is the caller to the key store.
func (c *Call) bearer() keys.Bearer {
	return keys.Bearer{Token: c.request.Header.Get("X-Auth-Token"), ProjectID: c.Identity.ProjectID, UserID: c.Identity.UserID}
}

// keyError words a failure of the key store for the caller. Cinder says no more
// than the first three words.
func keyError(err error) error {
	switch {
	case err == nil:
		return nil
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Timeout):
		return fault.Wrap(err, fault.Unavailable, "Key manager error: %s", fault.MessageOf(err))
	case fault.MessageOf(err) != "":
		return fault.Wrap(err, fault.Invalid, "Key manager error: %s", fault.MessageOf(err))
	}
	return fault.Wrap(err, fault.Internal, "Key manager error")
}

// makeKey puts a key into the store under a new id, which the database knows
// before there is a key. It has to be kept (db.Tx.KeepKey) or abandoned.
func (c *Call) makeKey(b keys.Bearer, use, name string, k keys.Key) (string, error) {
	store := c.server.Keys
	id, err := store.Reserve(c.Context(), b, keys.Spec{Name: name, Algorithm: k.Algorithm, Bits: k.Bits()})
	if err != nil {
		return "", keyError(err)
	}
	if err := c.database().NoteKey(c.Context(), id, b.ProjectID, use); err != nil {
		_ = store.Delete(context.WithoutCancel(c.Context()), b, id) // an empty place
		return "", err
	}
	if err := store.Fill(c.Context(), b, id, k); err != nil {
		c.abandonKey(b, id)
		return "", keyError(err)
	}
	return id, nil
}

// abandonKey takes away a key that was made and is not wanted after all. One that
// a row has, because a transaction came to its end that seemed not to, stays.
func (c *Call) abandonKey(b keys.Bearer, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), keyTimeout)
	defer cancel()
	abandoned, err := c.database().AbandonKey(ctx, id)
	if err != nil {
		slog.WarnContext(ctx, "a key that is not wanted will be deleted later", "key", id, "error", err)
	}
	if abandoned {
		c.deleteKey(ctx, b, id)
	}
}

// deleteKey has the store delete a key that is due while the caller's token is at
// hand; what fails is tried again by the reconciler, as Clinker itself.
func (c *Call) deleteKey(ctx context.Context, b keys.Bearer, id string) {
	err := c.server.Keys.Delete(ctx, b, id)
	if err == nil {
		err = c.database().ForgetKey(ctx, id)
	}
	if err != nil {
		slog.WarnContext(ctx, "a key could not be deleted; it is tried again", "key", id, "error", err)
	}
}

// readKey reads the key of a volume or snapshot that the caller may use. Keys that
// are Clinker's own for the moment, and all of a store that it is trusted by, it
// reads itself; else the caller's token must do.
func (c *Call) readKey(id string) (keys.Key, error) {
	if c.server.Keys == nil {
		return keys.Key{}, noKeyManager()
	}
	kept, known, err := c.database().KeptKey(c.Context(), id)
	if err != nil {
		return keys.Key{}, err
	}
	k, err := c.server.Keys.Key(c.Context(), c.holder(kept, known), id)
	return k, keyError(err)
}

// readKeyOfImage reads a key that an image names, as the caller in any store: whoever
// makes an image writes there what they like, another's key too.
func (c *Call) readKeyOfImage(id string) (keys.Key, error) {
	k, err := c.server.Keys.Key(c.Context(), c.bearer(), id)
	return k, keyError(err)
}

// holder is as whom a key is read and deleted.
func (c *Call) holder(kept db.KeptKey, known bool) keys.Bearer {
	if c.server.Keys.Trusted() || known && kept.ProjectID == "" {
		return keys.Service
	}
	return c.bearer()
}

func noKeyManager() error {
	return fault.New(fault.Invalid, "Key manager error: the volume is encrypted, and no key manager is configured that could make or read its key.")
}

// volumeKeys are the keys that a new volume, backup or image brings along.
type volumeKeys struct {
	call *Call
	key  string // its own; "" for none
	work string // a copy of Clinker's own, for a job; "" for none
}

// keep says in their owner's transaction that they are wanted.
func (k *volumeKeys) keep(tx *db.Tx, ownerID string) {
	if k == nil {
		return
	}
	if k.key != "" {
		tx.KeepKey(k.key, ownerID)
	}
	if k.work != "" {
		tx.KeepKey(k.work, ownerID)
	}
}

// abandon takes them away when there is no volume after all.
func (k *volumeKeys) abandon() {
	if k == nil {
		return
	}
	if k.key != "" {
		k.call.abandonKey(k.call.bearer(), k.key)
	}
	if k.work != "" {
		k.call.abandonKey(keys.Service, k.work)
	}
}
