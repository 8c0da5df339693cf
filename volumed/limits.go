package volumed

import (
	"context"
	"log/slog"

	"clinker/internal/fault"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
	"clinker/volumed/throttle"
)

// Throttle limits what is done to a device; package throttle says how. Set may be
// repeated.
type Throttle interface {
	Set(device string, l throttle.Limits) error
}

// Limit implements rpc.Volumed. A crash between its steps leaves limits in the
// journal that the next start sets.
func (s *Server) Limit(ctx context.Context, f rpc.Fence, poolName string, l rpc.Limits) error {
	_, fence, err := s.admit(f, poolName, false, checkLimits(l))
	if err != nil {
		return err
	}
	return s.work.detached(ctx, func(ctx context.Context) error {
		release, err := s.locks.acquire(ctx, want{space: exportOf, id: f.ResourceID})
		if err != nil {
			return err
		}
		defer release()
		e, ok, err := s.journal.Limit(fence, limitsOf(l))
		if err != nil || !ok {
			return err
		}
		if err := s.apply(ctx, e); err != nil {
			s.repair(e.Volume, err)
			return err
		}
		return nil
	})
}

func limitsOf(l rpc.Limits) throttle.Limits {
	return throttle.Limits{ReadBytesSec: l.ReadBytesSec, WriteBytesSec: l.WriteBytesSec, ReadIopsSec: l.ReadIopsSec, WriteIopsSec: l.WriteIopsSec}
}

func checkLimits(l rpc.Limits) error {
	if min(l.ReadBytesSec, l.WriteBytesSec, l.ReadIopsSec, l.WriteIopsSec) < 0 {
		return fault.New(fault.Invalid, "a limit is below 0")
	}
	return nil
}

// limit has the kernel limit an export's device. That comes before a host is let
// in, and a host is not let in without it. Where nothing can limit, the volume is
// exported all the same: its pool has said so (QoS_support), and an operator who
// places such volumes there wants them.
func (p *pool) limit(ctx context.Context, e journal.Export, device string) error {
	if p.Throttle == nil {
		if !e.Limits.None() {
			slog.WarnContext(ctx, "a volume's limits are not kept to: this pool has no QoS_support", "volume", e.Volume)
		}
		return nil
	}
	err := p.Throttle.Set(device, e.Limits.Limits)
	if err != nil && e.Limits.None() {
		slog.WarnContext(ctx, "a volume may be limited still", "volume", e.Volume, "error", err)
		return nil
	}
	return err
}

// unlimit lifts the limits of what is not exported any more, so that copies and
// wiping take no longer than the disks do; where they cannot be lifted they take
// longer, and nothing is held up. The kernel forgot those of a device that is gone.
func (s *Server) unlimit(ctx context.Context, p *pool, e journal.Export) error {
	if p.Throttle == nil || e.Limits.None() {
		return nil
	}
	device, release, err := s.device(ctx, p, e.Volume)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	if err := p.Throttle.Set(device, throttle.Limits{}); err != nil {
		slog.WarnContext(ctx, "a volume that is not exported any more is limited still", "volume", e.Volume, "error", err)
	}
	return nil
}
