package tgt

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

// state is what the daemon says of itself, as far as it can be believed.
//
// Its list of targets holds, in the middle of each target's entry, the alias
// that an initiator chose at login, line breaks included. Whoever may log in to
// one volume could so make up entries for others. Two things tell an entry that
// is the daemon's own: its parts are whole and in order, and its accounts hold
// the anchor, whose name is random and known to no initiator. An alias stands
// before the true rest of its entry, so that it can neither come after the
// anchor nor hide the rest. And everything before the first alias that lies is
// true: so the first entry found wrong is the liar's own target.
type state struct {
	targets  []shownTarget // those with the prefix, all believed
	ids      map[int32]bool
	accounts []string // all accounts of the daemon
}

// state asks the daemon. Sessions whose alias makes the answer unbelievable are
// disconnected, and the question asked again.
func (t *Target) state(ctx context.Context) (*state, error) {
	for range 4 {
		users, err := t.control.call(ctx, request{mode: modeAccount, op: opShow})
		if err != nil {
			return nil, err
		}
		text, err := t.control.call(ctx, request{mode: modeTarget, op: opShow, target: allTargets})
		if err != nil {
			return nil, err
		}
		s, wrong := judge(parseTargets(text), parseAccounts(users), t.prefix)
		if wrong == nil {
			return s, nil
		}
		slog.WarnContext(ctx, "an initiator's alias is forged; disconnecting it", "target", wrong.name)
		if err := t.cut(ctx, wrong.id, func(string) bool { return true }); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Unavailable, "what the iSCSI daemon says of its targets cannot be trusted")
}

// judge keeps the entries with the prefix, or gives the first that is wrong.
func judge(shown []shownTarget, accounts []string, prefix string) (*state, *shownTarget) {
	s := &state{ids: map[int32]bool{}, accounts: accounts}
	for i := range shown {
		entry := &shown[i]
		if strings.HasPrefix(entry.name, prefix) {
			if !entry.whole || s.ids[entry.id] || s.find(entry.name) != nil || !s.vouchesFor(entry) && !begun(entry) {
				return nil, entry
			}
			s.targets = append(s.targets, *entry)
		}
		s.ids[entry.id] = true
	}
	return s, nil
}

// anchored tells whether an anchor is the first account of a target.
func anchored(s *shownTarget) bool { return len(s.accounts) > 0 && isAnchor(s.accounts[0]) }

// vouchesFor tells whether a target's anchor is one that the daemon has, and nobody has
// made up. The accounts were asked for first: the very first anchor may have been made
// since. Then nobody has logged in to its target yet, and the next look finds it.
func (s *state) vouchesFor(entry *shownTarget) bool {
	return anchored(entry) && slices.Contains(s.accounts, entry.accounts[0])
}

// begun tells whether a target looks as it does when making it was broken off
// before the anchor. Nobody can have logged in to such a target.
func begun(s *shownTarget) bool {
	return s.sessions == 0 && len(s.accounts) == 0 && len(s.names) == 0 && len(s.addresses) == 0
}

// find gives the target with that name, nil when there is none.
func (s *state) find(iqn string) *shownTarget {
	for i := range s.targets {
		if s.targets[i].name == iqn {
			return &s.targets[i]
		}
	}
	return nil
}

// usedElsewhere tells whether a target other than iqn has the account.
func (s *state) usedElsewhere(iqn, user string) bool {
	return slices.ContainsFunc(s.targets, func(o shownTarget) bool {
		return o.name != iqn && slices.Contains(o.accounts, user)
	})
}

// export tells a target in the interface's words. Which account is whose is
// not known to the daemon: they are listed in the order in which they were given.
func (s *state) export(shown shownTarget) target.Export {
	e := target.Export{IQN: shown.name}
	unit, _ := shown.unit(unitNumber)
	e.Device, e.Serial = unit.path, unit.serial
	users := slices.DeleteFunc(slices.Clone(shown.accounts), isAnchor)
	for i, name := range shown.names {
		g := target.Grant{Initiator: name, ReadOnly: unit.readOnly}
		if i < len(users) {
			g.Username = users[i]
		}
		e.Grants = append(e.Grants, g)
	}
	return e
}
