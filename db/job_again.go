package db

import (
	"context"

	"github.com/riverqueue/river"

	"clinker/internal/fault"
)

// ByAdministratorAgain is what the history says of work that an administrator has
// begun anew.
const ByAdministratorAgain = "begun anew by an administrator"

// CreateAgain: an administrator has a creation that failed begun anew.
var CreateAgain = Move{"create again", []string{"error"}, "creating"}

// EnqueueAgain adds a job of the kind and with the arguments of another.
func (t *Tx) EnqueueAgain(_ context.Context, j Job) error {
	t.later(enqueueSQL, j.Kind, string(j.Args), river.MaxAttemptsDefault)
	t.enqueued = true
	return nil
}

// BeginAgain moves a volume back to where its job begins. Conflict when it is not
// where that ended: to be created again, it must never have been made.
func (t *Tx) BeginAgain(ctx context.Context, id string, m Move) error {
	v, err := t.MoveVolume(ctx, id, m, ByAdministratorAgain, nil)
	if err == nil && m.To == "creating" && (v.LaunchedAt != nil || v.PoolID != nil) {
		err = fault.New(fault.Conflict, "Volume %s has been made before; what is on it would be lost.", id)
	}
	return err
}
