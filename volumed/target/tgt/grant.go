package tgt

import (
	"context"
	"slices"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

// revoke takes away what is not wanted: first the right to log in, then the
// sessions, then the accounts. A grant whose username changed is another grant:
// the old one's session goes, before the new account exists, so that a repeated
// revoke still sees the difference.
func (x *export) revoke(ctx context.Context) error {
	stays := func(initiator string) bool {
		g, ok := x.wants(initiator)
		return ok && slices.Contains(x.at.names, initiator) && slices.Contains(x.at.accounts, g.Username)
	}
	for _, address := range x.at.addresses {
		if err := x.rule(ctx, opUnbind, "initiator-address="+address, noRule); err != nil {
			return err
		}
	}
	for _, name := range x.at.names {
		if stays(name) {
			continue
		}
		if err := x.rule(ctx, opUnbind, "initiator-name="+name, noRule); err != nil {
			return err
		}
	}
	if err := x.cut(ctx, x.at.id, func(initiator string) bool { return !stays(initiator) }); err != nil {
		return err
	}
	x.at.names = slices.DeleteFunc(slices.Clone(x.at.names), func(n string) bool { return !stays(n) })
	return x.dropAccounts(ctx, func(user string) bool {
		return !isAnchor(user) && !slices.ContainsFunc(x.want.Grants, func(g target.Grant) bool { return g.Username == user })
	})
}

// dropAccounts unbinds accounts from the target and deletes them.
func (x *export) dropAccounts(ctx context.Context, gone func(user string) bool) error {
	if err := x.unbind(ctx, x.at.id, x.at.accounts, gone); err != nil {
		return err
	}
	for _, user := range x.at.accounts {
		if !gone(user) {
			continue
		}
		x.forget(user)
		if x.now.usedElsewhere(x.want.IQN, user) {
			continue
		}
		if err := x.deleteAccount(ctx, user); err != nil {
			return err
		}
	}
	x.at.accounts = slices.DeleteFunc(slices.Clone(x.at.accounts), gone)
	return nil
}

// grant gives what is wanted: accounts first, the right to log in last.
func (x *export) grant(ctx context.Context) error {
	stale := func(user string) bool {
		return slices.ContainsFunc(x.want.Grants, func(g target.Grant) bool {
			return g.Username == user && !x.isKnown(g)
		})
	}
	// A password cannot be read back or changed: an account of which it is
	// not certain is made anew.
	if err := x.dropAccounts(ctx, stale); err != nil {
		return err
	}
	for _, g := range x.want.Grants {
		if !slices.Contains(x.at.accounts, g.Username) {
			if err := x.giveAccount(ctx, g); err != nil {
				return err
			}
		}
		if slices.Contains(x.at.names, g.Initiator) {
			continue
		}
		if err := x.rule(ctx, opBind, "initiator-name="+g.Initiator, ruleExists); err != nil {
			return err
		}
	}
	return nil
}

// giveAccount makes an account and binds it to the target. One of that name
// that no target has is left from an interrupted Apply.
func (x *export) giveAccount(ctx context.Context, g target.Grant) error {
	if x.now.usedElsewhere(x.want.IQN, g.Username) {
		return fault.New(fault.Conflict, "username %s belongs to another export", g.Username)
	}
	if slices.Contains(x.now.accounts, g.Username) {
		if err := x.deleteAccount(ctx, g.Username); err != nil {
			return err
		}
	}
	if err := x.newAccount(ctx, g.Username, g.Password); err != nil {
		return err
	}
	if err := x.bind(ctx, x.at.id, g.Username); err != nil {
		return err
	}
	x.at.accounts = append(x.at.accounts, g.Username)
	x.remember(g)
	return nil
}

func (x *export) rule(ctx context.Context, o op, rule string, fine refusal) error {
	return x.control.do(ctx, request{mode: modeTarget, op: o, target: x.at.id, params: rule}, fine)
}

func (x *export) key(user string) string { return x.want.IQN + " " + user }

func (x *export) isKnown(g target.Grant) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	f, ok := x.known[x.key(g.Username)]
	return ok && f == x.fingerprint(g.Password)
}

func (x *export) remember(g target.Grant) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.known[x.key(g.Username)] = x.fingerprint(g.Password)
}

func (x *export) forget(user string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.known, x.key(user))
}
