package volumed

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/backup"
	"clinker/volumed/rpc"
)

// tidyLimit bounds what is cleared away after a backup, also when that was cut
// short.
const tidyLimit = time.Minute

// backUp makes a backup of what nobody writes to: of a snapshot; of a volume that
// nobody can log in to meanwhile; or of a snapshot that it takes itself, of a volume
// that is exported or in a pool where a snapshot tells what has changed.
func (s *Server) backUp(ctx context.Context, p *pool, source rpc.BackupSource, r backup.Request) (*backup.Manifest, error) {
	name, err := nameOf(source.Source)
	if err != nil {
		return nil, err
	}
	if source.Source.Kind == rpc.KindSnapshot {
		return s.read(ctx, p, name, r)
	}
	tracker, ok := p.Storage.(backend.Tracker)
	if ok && tracker.Tracks() {
		return s.backUpSnapshot(ctx, p, r, true)
	}
	release, exported, err := s.shutOut(ctx, r.StoredID)
	if err != nil {
		return nil, err
	}
	if exported {
		release()
		return s.backUpSnapshot(ctx, p, r, false)
	}
	defer release()
	m, err := s.read(ctx, p, name, r)
	s.clearUp(ctx, p, r, err, false)
	return m, err
}

// shutOut lets nobody log in to a volume until release, and tells whether somebody
// may already.
func (s *Server) shutOut(ctx context.Context, volumeID string) (release func(), exported bool, err error) {
	release, err = s.locks.acquire(ctx, want{space: exportOf, id: volumeID, shared: true})
	if err != nil {
		return nil, false, err
	}
	e, ok, err := s.journal.Export(volumeID)
	if err != nil {
		release()
		return nil, false, err
	}
	return release, ok && len(e.Grants) > 0, nil
}

// read backs up what has a name in the pool.
func (s *Server) read(ctx context.Context, p *pool, name string, r backup.Request) (*backup.Manifest, error) {
	path, err := p.Storage.Device(ctx, name)
	if err != nil {
		return nil, err
	}
	r.Path = path
	if tracker, ok := p.Storage.(backend.Tracker); ok && tracker.Tracks() {
		if r.Basis, err = tracker.Identity(ctx, name); err != nil {
			return nil, err
		}
		r.Changes = func(ctx context.Context, since string) ([]backup.Extent, error) {
			stretches, err := tracker.Changes(ctx, since, name)
			extents := make([]backup.Extent, len(stretches))
			for i, e := range stretches {
				extents[i] = backup.Extent(e)
			}
			return extents, err
		}
	}
	return s.options.Backups.Store.Create(ctx, r)
}

// backUpSnapshot takes a snapshot and backs that up. keep: the snapshot stays after a
// success, and those of earlier backups go.
func (s *Server) backUpSnapshot(ctx context.Context, p *pool, r backup.Request, keep bool) (*backup.Manifest, error) {
	m, err := s.options.Backups.Store.Manifest(ctx, r.Place)
	if fault.Is(err, fault.NotFound) {
		m, err = s.backUpNow(ctx, p, r)
	} else if err == nil { // an earlier attempt came to its end
		m, err = s.options.Backups.Store.Create(ctx, r)
	}
	s.clearUp(ctx, p, r, err, keep)
	return m, err
}

// backUpNow backs up a snapshot of this moment. What an earlier attempt took is of an
// earlier time, and goes.
func (s *Server) backUpNow(ctx context.Context, p *pool, r backup.Request) (*backup.Manifest, error) {
	name := backend.SnapshotName(r.Place.ID)
	if err := s.journal.Keep(r.StoredID, rpc.PoolName(p.Backend, p.Name), r.Place.ID); err != nil {
		return nil, err
	}
	defer ring(p.wipe)
	if err := p.Storage.Delete(ctx, name); err != nil {
		return nil, err
	}
	if err := p.Storage.Snapshot(ctx, backend.VolumeName(r.StoredID), name); err != nil {
		return nil, err
	}
	return s.read(ctx, p, name, r)
}

// clearUp takes away the snapshots that backups of a volume have left, after one that
// ended with err: its own unless it is to be kept, and those of earlier ones, which
// only a failure still needs. What a killed node left goes so too.
func (s *Server) clearUp(ctx context.Context, p *pool, r backup.Request, err error, keep bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyLimit)
	defer cancel()
	kept, unread := s.journal.Kept(r.StoredID)
	s.warn(ctx, unread)
	if slices.Contains(kept.Backups, r.Place.ID) && (err != nil || !keep) {
		s.warn(ctx, s.dropSnapshot(ctx, p, r.StoredID, r.Place.ID))
	}
	if err == nil {
		s.warn(ctx, s.dropKeptBut(ctx, p, r.StoredID, r.Place.ID))
	}
}

// warn is for what the next backup, or the volume's end, clears away.
func (s *Server) warn(ctx context.Context, err error) {
	if err != nil {
		slog.WarnContext(ctx, "a snapshot of a backup cannot be cleared away yet", "error", err)
	}
}

// dropSnapshot takes the snapshot of a backup away. The caller holds the backup's
// lock.
func (s *Server) dropSnapshot(ctx context.Context, p *pool, volumeID, backupID string) error {
	if err := p.Storage.Delete(ctx, backend.SnapshotName(backupID)); err != nil {
		return err
	}
	ring(p.wipe)
	return s.journal.Unkeep(volumeID, backupID)
}

// dropKept takes all snapshots of a volume away that backups have left.
func (s *Server) dropKept(ctx context.Context, p *pool, volumeID string) error {
	return s.dropKeptBut(ctx, p, volumeID, "")
}

// dropKeptBut leaves that of one backup, and those that are being worked on.
func (s *Server) dropKeptBut(ctx context.Context, p *pool, volumeID, but string) error {
	kept, err := s.journal.Kept(volumeID)
	if err != nil || kept.Pool != rpc.PoolName(p.Backend, p.Name) {
		return err
	}
	var errs []error
	for _, id := range kept.Backups {
		if id == but || s.work.worksOn(id) {
			continue
		}
		errs = append(errs, s.locked(ctx, id, func() error { return s.dropSnapshot(ctx, p, volumeID, id) }))
	}
	return errors.Join(errs...)
}

// locked does something about a backup's snapshot under its lock. It does not wait
// long: who holds it may be waiting likewise.
func (s *Server) locked(ctx context.Context, backupID string, do func() error) error {
	soon, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	release, err := s.locks.acquire(soon, want{space: storageOf, id: backupID})
	if err != nil {
		return err
	}
	defer release()
	return do()
}

// dropSnapshotOf takes the snapshot of a backup away wherever it is. The caller
// holds the backup's lock.
func (s *Server) dropSnapshotOf(ctx context.Context, backupID string) error {
	kept, ok, err := s.journal.KeptFor(backupID)
	if err != nil || !ok {
		return err
	}
	p, err := s.pool(kept.Pool)
	if err != nil {
		return s.journal.Unkeep(kept.Volume, backupID) // the node has that pool no more
	}
	return s.dropSnapshot(ctx, p, kept.Volume, backupID)
}

// fits gives Invalid when a device or file is shorter than what is to be written.
func fits(path string, bytes int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	have, err := f.Seek(0, 2)
	if err == nil && have < bytes {
		err = fault.New(fault.Invalid, "the volume has %d bytes and not %d", have, bytes)
	}
	return err
}
