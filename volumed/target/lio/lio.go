package lio

import (
	"context"
	"slices"
	"strings"

	"clinker/volumed/target"
)

// defaultRoot is where the kernel shows LIO.
const defaultRoot = "/sys/kernel/config/target"

// Options say how to use LIO.
type Options struct {
	// Root is LIO's directory; empty means where the kernel shows it.
	Root string

	// Portals are the addresses to listen on, as address:port, IPv6 addresses in
	// brackets. Initiators are told them. An address that this machine does not
	// have is no error: the kernel listens as soon as it has it (IP_FREEBIND).
	Portals []string

	// Prefix is how the IQNs begin that this Target may touch and lists.
	Prefix string
}

// Target exports volumes through LIO. It implements target.Target.
type Target struct {
	fs      configfs
	portals []string
	prefix  string
	turns   turns
}

var _ target.Target = (*Target)(nil)

// unitNumber is the LUN of every volume.
const unitNumber = 0

// New gives a Target. Available says whether it can work on this machine.
func New(o Options) *Target {
	if o.Root == "" {
		o.Root = defaultRoot
	}
	return &Target{fs: tree{o.Root}, portals: slices.Clone(o.Portals), prefix: o.Prefix}
}

// Traits is target.Target's.
func (*Target) Traits() target.Traits {
	return target.Traits{StorageProtocol: "iSCSI", DriverVolumeType: "iscsi", InKernel: true}
}

// Apply is target.Target's. Errors besides those: Invalid for names and
// passwords that cannot be used; NotFound when there is no such device; Busy when
// something else holds it; Unavailable when the kernel has no LIO or a portal's
// port is taken; InProgress when an earlier call for this IQN,
// which was given up, still waits in the kernel.
func (t *Target) Apply(ctx context.Context, e target.Export) (target.Address, error) {
	if err := e.Check(t.prefix); err != nil {
		return target.Address{}, err
	}
	store, err := storeFor(e)
	if err != nil {
		return target.Address{}, err
	}
	e.Grants = lowered(e.Grants)
	err = t.turns.take(ctx, e.IQN, func(ctx context.Context) error {
		return (&export{fs: stoppable{t.fs, ctx}, want: e, store: store, portals: t.portals}).apply()
	})
	if err != nil {
		return target.Address{}, explain(err)
	}
	return target.Address{Portals: slices.Clone(t.portals), LUN: unitNumber}, nil
}

// lowered gives the grants with the initiators' names in small letters, as the kernel
// looks for them whatever an initiator sends: capitals mean nothing in them (RFC 3722).
func lowered(grants []target.Grant) []target.Grant {
	grants = slices.Clone(grants)
	for i := range grants {
		grants[i].Initiator = strings.ToLower(grants[i].Initiator)
	}
	return grants
}

// Remove is target.Target's. It returns when the kernel has ended the
// initiators' commands and closed the device. Timeout when ctx ends before; the
// kernel goes on with the step it is at.
func (t *Target) Remove(ctx context.Context, iqn string) error {
	if err := target.CheckIQN(iqn, t.prefix); err != nil {
		return err
	}
	err := t.turns.take(ctx, iqn, func(ctx context.Context) error {
		return (&export{fs: stoppable{t.fs, ctx}, want: target.Export{IQN: iqn}}).remove()
	})
	return explain(err)
}
