package volumed

import (
	"context"
	"slices"
	"strings"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/journal"
	"clinker/volumed/target"
)

// apply makes a volume's target as the journal wants it. The caller holds the
// export's lock and has read e under it.
func (s *Server) apply(ctx context.Context, e journal.Export) error {
	p, err := s.pool(e.Pool)
	if err != nil {
		return err
	}
	if len(e.Grants) == 0 {
		if err := p.Target.Remove(ctx, p.iqn(e.Volume)); err != nil {
			return err
		}
		if err := s.unlimit(ctx, p, e); err != nil {
			return err
		}
		s.journal.Forget(e.Volume)
		return nil
	}
	device, release, err := s.device(ctx, p, e.Volume)
	if err != nil {
		return err
	}
	defer release()
	if err := p.limit(ctx, e, device); err != nil {
		return err
	}
	_, err = p.Target.Apply(ctx, p.export(e, device))
	return err
}

// device gives a volume's device, which stays where it is until release.
func (s *Server) device(ctx context.Context, p *pool, volumeID string) (path string, release func(), err error) {
	release, err = s.locks.acquire(ctx, want{space: deviceOf, id: volumeID})
	if err != nil {
		return "", nil, err
	}
	path, err = p.Storage.Device(ctx, backend.VolumeName(volumeID))
	if err != nil {
		release()
	}
	return path, release, err
}

// export is the journal's export as the target is told: each initiator once,
// and read-only when none of its attachments may write.
func (p *pool) export(e journal.Export, device string) target.Export {
	t := target.Export{IQN: p.iqn(e.Volume), Device: device, Serial: e.Volume}
	for i, g := range e.Grants {
		if slices.ContainsFunc(e.Grants[:i], func(o journal.Grant) bool { return strings.EqualFold(o.Initiator, g.Initiator) }) {
			continue
		}
		t.Grants = append(t.Grants, target.Grant{
			Initiator: g.Initiator,
			Username:  g.Username,
			Password:  g.Password,
			ReadOnly:  readOnly(e, g.Initiator),
		})
	}
	return t
}

func readOnly(e journal.Export, initiator string) bool {
	return !slices.ContainsFunc(e.Grants, func(g journal.Grant) bool {
		return strings.EqualFold(g.Initiator, initiator) && !g.ReadOnly
	})
}

// refresh makes a volume's target as the journal wants it at that moment, and lets the
// initiators of one that has grown see its new size.
func (s *Server) refresh(ctx context.Context, volumeID string) error {
	release, err := s.locks.acquire(ctx, want{space: exportOf, id: volumeID})
	if err != nil {
		return err
	}
	defer release()
	e, ok, err := s.journal.Export(volumeID)
	if err != nil || !ok {
		return err
	}
	return s.apply(ctx, e)
}

// alone is unexported, after which nobody is handed the volume's device either until
// release. The caller holds the export's lock, and not the device's: clearing an export
// away may need that.
func (s *Server) alone(ctx context.Context, volumeID, poolName string) (release func(), err error) {
	if err := s.unexported(ctx, volumeID, poolName); err != nil {
		return nil, err
	}
	return s.locks.acquire(ctx, want{space: deviceOf, id: volumeID})
}

// unexported is nil when nobody can log in to the volume in that pool: Busy
// while somebody may. What is left of an export is taken away. The caller
// holds the export's lock.
func (s *Server) unexported(ctx context.Context, volumeID, poolName string) error {
	e, ok, err := s.journal.Export(volumeID)
	if err != nil || !ok || e.Pool != poolName {
		return err
	}
	if len(e.Grants) > 0 {
		return fault.New(fault.Busy, "the volume is exported to %d attachments", len(e.Grants))
	}
	return s.apply(ctx, e)
}
