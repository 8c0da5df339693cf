package volumed

import (
	"context"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
	"clinker/volumed/target"
)

// exportLimit bounds a grant or revoke, with the wait for its turn.
const exportLimit = time.Minute

// Grant implements rpc.Volumed. A crash between its steps leaves at most an
// access that nobody was told of; the scheduler sees it in Exports.
func (s *Server) Grant(ctx context.Context, f rpc.Fence, poolName, volumeID string, g rpc.Grant) (*rpc.Connection, error) {
	p, fence, err := s.admit(f, poolName, false, checkID("volume_id", volumeID), checkLimits(g.Limits))
	if err == nil && g.AttachmentID != f.ResourceID {
		err = fault.New(fault.Invalid, "the grant's attachment_id is not the fence's resource_id")
	}
	if err != nil {
		return nil, err
	}
	var connection *rpc.Connection
	err = s.work.detached(ctx, func(ctx context.Context) (err error) {
		release, err := s.locks.acquire(ctx, want{space: exportOf, id: volumeID})
		if err != nil {
			return err
		}
		defer release()
		connection, err = s.grant(ctx, p, fence, volumeID, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	return connection, nil
}

// grant is Grant under the export's lock.
func (s *Server) grant(ctx context.Context, p *pool, fence journal.Fence, volumeID string, g rpc.Grant) (*rpc.Connection, error) {
	wanted, address, err := s.grantOn(ctx, p, fence, volumeID, g)
	switch {
	case err == nil:
		return p.connection(wanted, fence.Resource, address), nil
	case len(wanted.Grants) == 0: // refused before it was in the journal
	case hopeless(err):
		err = s.withdraw(ctx, fence, volumeID, err)
	default:
		s.repair(volumeID, err)
	}
	return nil, err
}

// grantOn gives the export as it is wanted once the journal has it.
func (s *Server) grantOn(ctx context.Context, p *pool, fence journal.Fence, volumeID string, g rpc.Grant) (wanted journal.Export, at target.Address, err error) {
	if err := s.journal.Check(fence); err != nil {
		return wanted, at, err // before the device is touched
	}
	s.lender.End(volumeID) // whoever is let in may write
	device, release, err := s.device(ctx, p, volumeID)
	if err != nil {
		return wanted, at, err
	}
	defer release()
	asked := journal.Grant{Initiator: g.Initiator, Username: g.Username, Password: target.Secret(g.Password), ReadOnly: g.ReadOnly}
	limits := journal.Limits{Limits: limitsOf(g.Limits), Generation: g.VolumeGeneration}
	possible := func(e journal.Export) error { return p.export(e, device).Check(p.IQNPrefix) }
	if wanted, err = s.journal.Grant(fence, volumeID, asked, limits, possible); err != nil {
		return journal.Export{}, at, err
	}
	if err := p.limit(ctx, wanted, device); err != nil {
		return wanted, at, err
	}
	at, err = p.Target.Apply(ctx, p.export(wanted, device))
	return wanted, at, err
}

// hopeless tells whether a target will never do what it was asked for.
func hopeless(err error) bool {
	return fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unsupported) || fault.Is(err, fault.Conflict)
}

// withdraw takes a grant back that would keep the volume's other grants from
// being applied ever again.
func (s *Server) withdraw(ctx context.Context, fence journal.Fence, volumeID string, reason error) error {
	left, err := s.journal.Withdraw(volumeID, fence.Resource, fence.Generation)
	if err != nil {
		return err
	}
	if err := s.apply(ctx, left); err != nil {
		s.repair(volumeID, err)
	}
	return reason
}

// connection tells an attachment how to log in.
func (p *pool) connection(e journal.Export, attachmentID string, at target.Address) *rpc.Connection {
	c := &rpc.Connection{Protocol: p.Target.Traits().DriverVolumeType, Portals: at.Portals, IQN: p.iqn(e.Volume), LUN: at.LUN}
	for _, g := range e.Grants {
		if g.Attachment == attachmentID {
			c.Username, c.Password = g.Username, rpc.Secret(g.Password)
			c.ReadOnly = readOnly(e, g.Initiator)
		}
	}
	return c
}

// Revoke implements rpc.Volumed. A crash between its steps leaves an export in
// the journal that lacks the grant, and the next start makes the target so.
func (s *Server) Revoke(ctx context.Context, f rpc.Fence, poolName, volumeID string) error {
	p, fence, err := s.admit(f, poolName, true, checkID("volume_id", volumeID))
	if err != nil {
		return err
	}
	return s.work.detached(ctx, func(ctx context.Context) error {
		release, err := s.locks.acquire(ctx, want{space: exportOf, id: volumeID})
		if err != nil {
			return err
		}
		defer release()
		left, ok, err := s.journal.Revoke(fence, volumeID)
		if err != nil {
			return err
		}
		if !ok {
			// The journal may be younger than the target's export.
			return p.Target.Remove(ctx, p.iqn(volumeID))
		}
		return s.cut(ctx, left)
	})
}

// cut makes the target as the export is wanted. When the volume has no device
// any more, nobody can use it: then the whole target goes.
func (s *Server) cut(ctx context.Context, left journal.Export) error {
	err := s.apply(ctx, left)
	if err == nil {
		return nil
	}
	if !fault.Is(err, fault.NotFound) {
		s.repair(left.Volume, err)
		return err
	}
	p, err := s.pool(left.Pool)
	if err != nil {
		return err
	}
	return p.Target.Remove(ctx, p.iqn(left.Volume))
}
