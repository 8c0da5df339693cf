package tgt

import (
	"context"
	"time"

	"clinker/internal/fault"
)

// lookAgain is the pause between two looks at something that the daemon does
// by itself and tells nobody about.
const lookAgain = 2 * time.Millisecond

// until repeats look until it says true, fails, or ctx ends.
func until(ctx context.Context, what string, look func() (bool, error)) error {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		done, err := look()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(ctx.Err(), fault.Timeout, "%s", what)
		case <-tick.C:
		}
	}
}

// connections gives the connections of a target's sessions.
func (t *Target) connections(ctx context.Context, id int32) ([]shownConnection, error) {
	text, err := t.control.call(ctx, request{mode: modeConnection, op: opShow, target: id})
	if err != nil {
		return nil, err
	}
	return parseConnections(text), nil
}

// cut disconnects the sessions of those initiators and returns when they are
// gone, which is when the commands that they had sent have ended.
func (t *Target) cut(ctx context.Context, id int32, whose func(initiator string) bool) error {
	return until(ctx, "an initiator's session did not end in time", func() (bool, error) {
		all, err := t.connections(ctx, id)
		if err != nil {
			return false, err
		}
		gone := true
		for _, c := range all {
			if !whose(c.initiator) {
				continue
			}
			gone = false
			if err := t.disconnect(ctx, id, c); err != nil {
				return false, err
			}
		}
		return gone, nil
	})
}

// disconnect closes one connection; its initiator may come back if it has a grant.
func (t *Target) disconnect(ctx context.Context, id int32, c shownConnection) error {
	return t.control.do(ctx, request{mode: modeConnection, op: opDelete, target: id, sid: c.sid, cid: c.cid},
		noSession, noConnection)
}
