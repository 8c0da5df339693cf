package carry

import (
	"context"
	"log/slog"
	"net"
	"time"
)

// knock is how long a portal is waited for where there are others.
const knock = 3 * time.Second

// reach chooses the one portal to log in at, as os-brick does without multipath: where
// there is a session already that is not stale, else the first at which somebody answers,
// else the first. open-iscsi alone would try one for two minutes.
func (h *Host) reach(ctx context.Context, c Connection) Connection {
	for _, portal := range c.Portals {
		if found, exists := h.system.sessionOf(c.IQN, portal); exists && !found.isStale(c) {
			c.Portal = portal
			return c
		}
	}
	if len(c.Portals) == 1 {
		return c
	}
	for _, portal := range c.Portals {
		err := answersAt(ctx, portal)
		if err == nil {
			c.Portal = portal
			return c
		}
		slog.WarnContext(ctx, "nobody answers at a portal", "portal", portal, "error", err)
	}
	return c
}

func answersAt(ctx context.Context, portal string) error {
	conn, err := (&net.Dialer{Timeout: knock}).DialContext(ctx, "tcp", portal)
	if err != nil {
		return err
	}
	return conn.Close()
}

// leave forgets the target and portal of an earlier login, if others are chosen now, with
// the credentials that open-iscsi keeps for them. A stale session ends, as endStale does
// that; another that is still there stays, and with the zero Connection any does.
func (h *Host) leave(ctx context.Context, state State, c Connection) error {
	if state.Portal == "" || state.IQN == c.IQN && state.Portal == c.Portal {
		return nil
	}
	if c.Username != "" {
		old := c
		old.IQN, old.Portal, old.LUN = state.IQN, state.Portal, state.LUN
		if err := h.endStale(ctx, old); err != nil {
			return err
		}
	}
	if _, exists := h.system.sessionOf(state.IQN, state.Portal); exists {
		return nil
	}
	return h.initiator.Logout(ctx, state.IQN, state.Portal)
}
