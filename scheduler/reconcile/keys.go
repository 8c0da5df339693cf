package reconcile

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/keys"
)

func init() {
	chores = append(chores,
		chore{"unwanted keys", 5 * time.Minute, (*Reconciler).unwantedKeys},
		chore{"due keys", 10 * time.Second, (*Reconciler).dueKeys})
}

// making is how long a request may take from making a key to writing its row; the
// row is not written after that.
const making = 10 * time.Minute

// unwantedKeys has keys deleted of which nothing is left but the key: of requests
// that were killed, and of volumes that are gone in a way that did not say so.
func (r *Reconciler) unwantedKeys(ctx context.Context) error {
	n, err := r.DB.DropUnwantedKeys(ctx, max(making, r.Quiet), r.Quiet, most)
	if n > 0 {
		slog.InfoContext(ctx, "keys that nothing has any more will be deleted", "keys", n)
	}
	return err
}

// dueKeys has the key store delete what is due. A store that is away, or that lets
// only a project delete its keys, is asked again, ever more rarely.
func (r *Reconciler) dueKeys(ctx context.Context) error {
	if r.Keys == nil {
		return nil
	}
	due, err := r.DB.DueKeys(ctx, most)
	for _, k := range due {
		if err == nil {
			err = r.deleteKey(ctx, k)
		}
	}
	return err
}

// keyPause is how long the first pause between two tries is, keyPauses how often it
// is doubled.
const (
	keyPause  = 15 * time.Second
	keyPauses = 10 // some four hours
)

func (r *Reconciler) deleteKey(ctx context.Context, k db.KeptKey) error {
	ask, cancel := context.WithTimeout(ctx, keyPause)
	defer cancel()
	err := r.Keys.Delete(ask, keys.Service, k.ID)
	switch {
	case err == nil:
		return r.DB.ForgetKey(ctx, k.ID)
	case ctx.Err() != nil:
		return ctx.Err()
	case fault.Is(err, fault.Forbidden) && r.first("key "+k.ID):
		slog.ErrorContext(ctx, "the key manager does not let Clinker's user delete a key that nothing needs any more: give it the right to (secret:delete), or delete the key as its project", "key", k.ID, "project", k.ProjectID)
	case r.first("keys"):
		slog.WarnContext(ctx, "the key manager did not delete a key; it is asked again", "key", k.ID, "error", err)
	}
	failure := fault.MessageOf(err)
	return r.DB.PutOffKey(ctx, k.ID, keyPause<<min(k.Tries, keyPauses), failure)
}
