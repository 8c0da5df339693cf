package volumed

import (
	"context"
	"errors"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/copy"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
)

// How long work may take before it is taken for hung and cut short; it can be
// repeated then. An extension may zero what is added, a copy is as slow as
// the disks.
const (
	workLimit = time.Hour
	copyLimit = 24 * time.Hour
)

// headBytes is how much of a blank volume reads as zeroes: what whoever attaches it
// looks at before it writes a LUKS header (carry, blankBytes).
const headBytes = 32 << 20

// Create implements rpc.Volumed. A blank volume gets its name when it is, which takes a
// few programs more.
func (s *Server) Create(ctx context.Context, f rpc.Fence, poolName string, bytes int64, blank bool) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, false, checkBytes(bytes))
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "create", fence: fence, limit: workLimit,
		locks: []want{{space: storageOf, id: f.ResourceID}},
		do: func(ctx context.Context, _ *operation) error {
			if blank {
				defer ring(p.wipe) // what failed leaves something behind
				return p.Storage.Import(ctx, backend.VolumeName(f.ResourceID), bytes, blankHead(bytes))
			}
			return p.Storage.Create(ctx, backend.VolumeName(f.ResourceID), bytes)
		},
	})
}

// blankHead zeroes the beginning of a volume that has no name yet.
func blankHead(bytes int64) func(context.Context, string, bool) error {
	return func(ctx context.Context, path string, blank bool) error {
		if blank {
			return nil
		}
		return copy.Blank(ctx, path, 0, min(bytes, headBytes))
	}
}

// Extend implements rpc.Volumed.
func (s *Server) Extend(ctx context.Context, f rpc.Fence, poolName string, bytes int64) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, false, checkBytes(bytes))
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "extend", fence: fence, limit: workLimit,
		locks: []want{{space: storageOf, id: f.ResourceID}},
		do: func(ctx context.Context, _ *operation) error {
			if err := s.grow(ctx, p, f.ResourceID, bytes); err != nil {
				return err
			}
			if err := s.refresh(ctx, f.ResourceID); err != nil {
				s.repair(f.ResourceID, err) // it is longer; that cannot be taken back
			}
			return nil
		},
	})
}

// grow extends a volume while nobody is handed its device.
func (s *Server) grow(ctx context.Context, p *pool, volumeID string, bytes int64) error {
	release, err := s.locks.acquire(ctx, want{space: deviceOf, id: volumeID})
	if err != nil {
		return err
	}
	defer release()
	return p.Storage.Extend(ctx, backend.VolumeName(volumeID), bytes)
}

// Destroy implements rpc.Volumed.
func (s *Server) Destroy(ctx context.Context, f rpc.Fence, poolName string) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, true)
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "destroy", fence: fence, limit: workLimit,
		locks: []want{{space: storageOf, id: f.ResourceID}, {space: exportOf, id: f.ResourceID}},
		do: func(ctx context.Context, _ *operation) error {
			if err := s.unexported(ctx, f.ResourceID, poolName); err != nil {
				return err
			}
			defer ring(p.wipe)
			if err := errors.Join(s.dropKept(ctx, p, f.ResourceID), s.dropStills(ctx, f.ResourceID)); err != nil {
				return err
			}
			return s.delete(ctx, p, f.ResourceID)
		},
	})
}

// delete deletes a volume that nobody is to have. What holds it may be an export that
// the journal does not know: it was lost since, or another program has restored what it
// had saved of the target. The caller holds the export's lock.
func (s *Server) delete(ctx context.Context, p *pool, volumeID string) error {
	err := p.Storage.Delete(ctx, backend.VolumeName(volumeID))
	if !fault.Is(err, fault.Busy) {
		return err
	}
	if _, known, errKnown := s.journal.Export(volumeID); known || errKnown != nil {
		return errors.Join(err, errKnown)
	}
	if err := p.Target.Remove(ctx, p.iqn(volumeID)); err != nil {
		return err
	}
	return p.Storage.Delete(ctx, backend.VolumeName(volumeID))
}

// CopyFrom implements rpc.Volumed.
func (s *Server) CopyFrom(ctx context.Context, f rpc.Fence, poolName string, source rpc.Source, bytes int64) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, false, checkBytes(bytes))
	if err != nil {
		return nil, err
	}
	from, err := nameOf(source)
	if err != nil {
		return nil, err
	}
	if source.ID == f.ResourceID {
		return nil, fault.New(fault.Invalid, "a volume cannot be a copy of itself")
	}
	return s.work.run(ctx, task{
		kind: "copy_from", fence: fence, limit: copyLimit, total: bytes,
		locks: []want{{space: storageOf, id: f.ResourceID}, {space: storageOf, id: source.ID, shared: true}},
		do: func(ctx context.Context, o *operation) error {
			defer ring(p.wipe) // a copy may leave something behind, done or not
			return p.Storage.Clone(ctx, from, backend.VolumeName(f.ResourceID), bytes, o.bytesDone.Store)
		},
	})
}

// Operation implements rpc.Volumed.
func (s *Server) Operation(ctx context.Context, id string, wait time.Duration) (*rpc.Operation, error) {
	return s.work.find(ctx, id, wait)
}

// Cancel implements rpc.Volumed.
func (s *Server) Cancel(ctx context.Context, id string) (*rpc.Operation, error) {
	return s.work.end(ctx, id)
}

// admit finds the pool and checks the fence of a call. others are the checks of its other
// arguments, which come after that.
func (s *Server) admit(f rpc.Fence, poolName string, ends bool, others ...error) (*pool, journal.Fence, error) {
	fence, err := fenceOf(f, poolName, ends)
	if err != nil {
		return nil, fence, err
	}
	p, err := s.pool(poolName)
	for _, other := range others {
		if err == nil {
			err = other
		}
	}
	return p, fence, err
}

// nameOf gives a source's name in its pool.
func nameOf(source rpc.Source) (string, error) {
	if err := checkID("source", source.ID); err != nil {
		return "", err
	}
	switch source.Kind {
	case rpc.KindVolume:
		return backend.VolumeName(source.ID), nil
	case rpc.KindSnapshot:
		return backend.SnapshotName(source.ID), nil
	}
	return "", fault.New(fault.Invalid, "a copy is made of a volume or a snapshot")
}
