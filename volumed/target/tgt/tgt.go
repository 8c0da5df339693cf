package tgt

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

// Options say which daemon to use and how.
type Options struct {
	// Socket is the daemon's management socket: /var/run/tgtd/socket.0 for the
	// machine's own, Daemon.Socket() for one started here.
	Socket string

	// Portals are told to initiators, as address:port. Empty: those that the
	// daemon says it listens on.
	Portals []string

	// Prefix is how the IQNs begin that this Target may touch and lists.
	Prefix string
}

// Target exports volumes through one tgtd. It implements target.Target.
type Target struct {
	control control
	portals []string
	prefix  string

	// What was set last and cannot be read back. Knowing nothing (after a
	// restart) costs a rewrite, never a mistake.
	mu    sync.Mutex
	known map[string]fingerprint // by IQN and username
	salt  []byte

	// The daemon's accounts are shared by all targets, and to make the anchor
	// is to look and then to write.
	anchoring sync.Mutex
}

var _ target.Target = (*Target)(nil)

// unitNumber is the LUN of every volume; tgtd keeps 0 for its controller.
const unitNumber = 1

// New gives a Target that works through the daemon at o.Socket, which need not
// run yet.
func New(o Options) *Target {
	salt := make([]byte, 32)
	rand.Read(salt)
	return &Target{control: control{o.Socket}, portals: slices.Clone(o.Portals), prefix: o.Prefix,
		known: map[string]fingerprint{}, salt: salt}
}

// Traits is target.Target's.
func (*Target) Traits() target.Traits {
	return target.Traits{StorageProtocol: "iSCSI", DriverVolumeType: "iscsi"}
}

// Answers is nil when the daemon takes requests, else Unavailable or Timeout. It may be
// repeated.
func (t *Target) Answers(ctx context.Context) error {
	_, err := t.control.call(ctx, request{mode: modePortal, op: opShow})
	return err
}

// Apply is target.Target's. Errors besides those: Invalid for a name or a
// password that cannot be used; Unsupported for read-only and other grants
// together; NotFound when there is no such device; Conflict when a username
// belongs to another export; Unavailable without tgtd.
func (t *Target) Apply(ctx context.Context, e target.Export) (target.Address, error) {
	if err := t.check(e); err != nil {
		return target.Address{}, err
	}
	size, err := deviceSize(e.Device)
	if err != nil {
		return target.Address{}, err
	}
	address, err := t.address(ctx)
	if err != nil {
		return target.Address{}, err
	}
	now, err := t.state(ctx)
	if err != nil {
		return target.Address{}, err
	}
	job := &export{Target: t, want: e, now: now}
	for _, step := range []func(context.Context) error{
		job.makeTarget,
		job.revoke,
		func(ctx context.Context) error { return job.makeUnit(ctx, size) },
		job.grant,
	} {
		if err := step(ctx); err != nil {
			return target.Address{}, err
		}
	}
	return address, nil
}

func (t *Target) check(e target.Export) error {
	if err := e.Check(t.prefix); err != nil {
		return err
	}
	for _, g := range e.Grants {
		if g.ReadOnly != e.Grants[0].ReadOnly {
			return fault.New(fault.Unsupported,
				"the target tgt cannot export a volume read-only to one initiator and writable to another")
		}
	}
	return nil
}

func (t *Target) address(ctx context.Context) (target.Address, error) {
	portals := t.portals
	if len(portals) == 0 {
		text, err := t.control.call(ctx, request{mode: modePortal, op: opShow})
		if err != nil {
			return target.Address{}, err
		}
		portals = parsePortals(text)
	}
	return target.Address{Portals: slices.Clone(portals), LUN: unitNumber}, nil
}

// Remove is target.Target's. It waits for the initiators' commands under way;
// Timeout when ctx ends before, and then nobody can log in any more.
func (t *Target) Remove(ctx context.Context, iqn string) error {
	if err := target.CheckIQN(iqn, t.prefix); err != nil {
		return err
	}
	now, err := t.state(ctx)
	if err != nil {
		return err
	}
	job := &export{Target: t, want: target.Export{IQN: iqn}, now: now}
	return job.remove(ctx)
}

// List is target.Target's. It also cuts the sessions of initiators that have
// no grant, which a login half done may have left.
func (t *Target) List(ctx context.Context) ([]target.Export, error) {
	now, err := t.state(ctx)
	if err != nil {
		return nil, err
	}
	var all []target.Export
	for _, s := range now.targets {
		if s.sessions > 0 {
			stranger := func(initiator string) bool { return !slices.Contains(s.names, initiator) }
			if err := t.cut(ctx, s.id, stranger); err != nil {
				return nil, err
			}
		}
		all = append(all, now.export(s))
	}
	return all, nil
}
