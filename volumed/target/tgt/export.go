package tgt

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

// export is the work on one volume: what is wanted, and what was there when it
// began. Its steps are made so that one broken off at any point is finished by
// the next Apply or Remove.
type export struct {
	*Target
	want target.Export
	now  *state
	at   shownTarget // the volume's own target; makeTarget fills it
}

// makeTarget makes sure that the target exists and that nobody can log in to
// it without a password: the anchor comes before everything else.
func (x *export) makeTarget(ctx context.Context) error {
	if found := x.now.find(x.want.IQN); found != nil {
		x.at = *found
	} else if err := x.newTarget(ctx); err != nil {
		return err
	}
	if anchored(&x.at) {
		return nil
	}
	anchor, err := x.anchor(ctx)
	if err != nil {
		return err
	}
	if err := x.bind(ctx, x.at.id, anchor); err != nil {
		return err
	}
	x.at.accounts = []string{anchor}
	// Every 10 s ask a silent initiator whether it lives, and close its
	// connection after the third question: a dead one would keep commands, and
	// with them the volume, busy for as long as TCP has patience.
	for _, p := range []string{"nop_interval=10", "nop_count=3"} {
		if err := x.control.do(ctx, request{mode: modeTarget, op: opUpdate, target: x.at.id, params: p}); err != nil {
			return err
		}
	}
	return nil
}

func (x *export) newTarget(ctx context.Context) error {
	id := targetID(x.want)
	for range 100 {
		if !x.now.ids[id] {
			err := x.control.do(ctx, request{mode: modeTarget, op: opNew, target: id, params: "targetname=" + x.want.IQN})
			if !errors.Is(err, targetExists) {
				x.at = shownTarget{id: id, name: x.want.IQN}
				return err
			}
		}
		id = max(1, (id+1)&0x7fffffff)
	}
	return fault.New(fault.Unavailable, "the iSCSI daemon has no free target number")
}

// targetID chooses a target's number in the daemon. Initiators see it: tgtd
// makes the logical unit's NAA identifier of it and of nothing else, so that
// counting from 1 would give volumes of two nodes one identity, and multipath
// would join them. The usernames are part of it so that a login to an earlier
// export of the volume, kept waiting half done, finds its number gone.
func targetID(e target.Export) int32 {
	h := sha256.New()
	h.Write([]byte(e.IQN))
	for _, g := range e.Grants {
		h.Write([]byte{0})
		h.Write([]byte(g.Username))
	}
	return int32(max(1, binary.BigEndian.Uint32(h.Sum(nil))&0x7fffffff))
}

// remove takes everything away; the target itself last, so that what remains
// after an interruption is still found.
func (x *export) remove(ctx context.Context) error {
	found := x.now.find(x.want.IQN)
	if found == nil {
		return nil
	}
	x.at = *found
	if err := x.revoke(ctx); err != nil {
		return err
	}
	if err := x.deleteUnits(ctx); err != nil {
		return err
	}
	return until(ctx, "an initiator's session did not end in time", func() (bool, error) {
		err := x.control.do(ctx, request{mode: modeTarget, op: opDelete, target: x.at.id}, noTarget)
		if errors.Is(err, targetActive) {
			// A login that was half done has come to its end after all.
			return false, x.cut(ctx, x.at.id, func(string) bool { return true })
		}
		return err == nil, err
	})
}

// wants gives the wanted grant of an initiator.
func (x *export) wants(initiator string) (target.Grant, bool) {
	i := slices.IndexFunc(x.want.Grants, func(g target.Grant) bool { return g.Initiator == initiator })
	if i < 0 {
		return target.Grant{}, false
	}
	return x.want.Grants[i], true
}
