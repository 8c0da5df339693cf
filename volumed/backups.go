package volumed

import (
	"cmp"
	"context"

	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/volumed/backend"
	"clinker/volumed/backup"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
)

// Backups is where a node keeps backups.
type Backups struct {
	Store     *backup.Store
	Driver    string // posix or s3, as the control plane is told
	Container string // where backups go that name none
	AtOnce    int    // how many backups and restores are worked on at once; 0: no bound
}

// noPool is what fences of backups say: a store belongs to no pool.
const noPool = ""

// pageManifests is how many BackupManifests tells at once.
const pageManifests = 50

// Backup implements rpc.Volumed.
func (s *Server) Backup(ctx context.Context, f rpc.Fence, poolName string, place rpc.BackupPlace, source rpc.BackupSource) (*rpc.Operation, error) {
	p, err := s.pool(poolName)
	if err != nil {
		return nil, err
	}
	fence, request, err := s.admitBackup(f, place, source)
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "backup", fence: fence, limit: copyLimit, total: source.Bytes,
		locks: []want{{space: storageOf, id: f.ResourceID}, {space: storageOf, id: source.Source.ID, shared: true}},
		do: func(ctx context.Context, o *operation) error {
			release, err := s.backupTurn(ctx)
			if err != nil {
				return err
			}
			defer release()
			request.Progress = o.bytesDone.Store
			m, err := s.backUp(pace.With(ctx, p.CopyBudget.Copy()), p, source, request)
			if err == nil {
				o.objects.Store(int64(m.Objects))
			}
			return err
		},
	})
}

// admitBackup checks what a backup is to be made of.
func (s *Server) admitBackup(f rpc.Fence, place rpc.BackupPlace, source rpc.BackupSource) (fence journal.Fence, r backup.Request, err error) {
	if fence, err = s.admitPlace(f, place, false); err != nil {
		return fence, r, err
	}
	if place.ID != f.ResourceID {
		return fence, r, fault.New(fault.Invalid, "the place's id is not the fence's resource_id")
	}
	if err = checkBytes(source.Bytes); err != nil {
		return fence, r, err
	}
	if err = checkID("volume_id", source.VolumeID); err != nil {
		return fence, r, err
	}
	stored := cmp.Or(source.StoredID, source.VolumeID)
	if err = checkID("stored_id", stored); err != nil {
		return fence, r, err
	}
	if _, err = nameOf(source.Source); err != nil {
		return fence, r, err
	}
	if source.Source.ID == f.ResourceID || source.VolumeID == f.ResourceID {
		return fence, r, fault.New(fault.Invalid, "a backup and what it is of have different ids")
	}
	r = backup.Request{Place: placeOf(place), VolumeID: source.VolumeID, StoredID: stored, Bytes: source.Bytes, Metadata: source.Metadata}
	if source.Parent != "" {
		parent := backup.Place{ID: source.Parent, Container: source.ParentContainer}
		r.Parent, err = &parent, parent.Check()
	}
	return fence, r, err
}

// admitPlace checks the fence of a call about a backup.
func (s *Server) admitPlace(f rpc.Fence, place rpc.BackupPlace, ends bool) (journal.Fence, error) {
	fence, err := fenceOf(f, noPool, ends)
	if err == nil && s.options.Backups == nil {
		err = errNoBackups
	}
	switch {
	case err != nil:
	case ends:
		err = placeOf(place).CheckID()
	default:
		err = placeOf(place).Check()
	}
	return fence, err
}

var errNoBackups = fault.New(fault.Unsupported, "this storage node keeps no backups: it has no backup_driver")

func placeOf(p rpc.BackupPlace) backup.Place { return backup.Place{ID: p.ID, Container: p.Container} }

// backupTurn waits until there are few enough backups and restores under way.
func (s *Server) backupTurn(ctx context.Context) (release func(), err error) {
	if s.backing == nil {
		return func() {}, nil
	}
	if err := s.backing.Acquire(ctx, 1); err != nil {
		return nil, fault.Wrap(err, fault.Timeout, "other backups and restores did not end in time")
	}
	return func() { s.backing.Release(1) }, nil
}

// Restore implements rpc.Volumed.
func (s *Server) Restore(ctx context.Context, f rpc.Fence, poolName string, place rpc.BackupPlace, bytes int64, overwrite bool) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, false)
	if err == nil {
		err = checkBytes(bytes)
	}
	if err == nil && s.options.Backups == nil {
		err = errNoBackups
	}
	if err == nil {
		err = placeOf(place).Check()
	}
	if err != nil {
		return nil, err
	}
	t := task{
		kind: "restore", fence: fence, limit: copyLimit, total: bytes,
		locks: []want{{space: storageOf, id: f.ResourceID}, {space: storageOf, id: place.ID, shared: true}},
	}
	restore := func(ctx context.Context, path string, blank bool, o *operation) error {
		return s.options.Backups.Store.Restore(ctx, placeOf(place), backup.Target{Path: path, Bytes: bytes, Blank: blank, Progress: o.bytesDone.Store})
	}
	if overwrite {
		t.locks = append(t.locks, want{space: exportOf, id: f.ResourceID})
	}
	t.do = func(ctx context.Context, o *operation) error {
		release, err := s.backupTurn(ctx)
		if err != nil {
			return err
		}
		defer release()
		if overwrite {
			return s.overwrite(ctx, p, poolName, f.ResourceID, bytes, func(path string) error { return restore(ctx, path, false, o) })
		}
		defer ring(p.wipe) // a copy that failed leaves something behind
		return p.Storage.Import(ctx, backend.VolumeName(f.ResourceID), bytes, func(ctx context.Context, path string, blank bool) error {
			return restore(ctx, path, blank, o)
		})
	}
	return s.work.run(ctx, t)
}

// overwrite writes over a volume that nobody can log in to meanwhile.
func (s *Server) overwrite(ctx context.Context, p *pool, poolName, volumeID string, bytes int64, write func(path string) error) error {
	release, err := s.alone(ctx, volumeID, poolName)
	if err != nil {
		return err
	}
	defer release()
	path, err := p.Storage.Device(ctx, backend.VolumeName(volumeID))
	if err != nil {
		return err
	}
	if err := fits(path, bytes); err != nil {
		return err
	}
	return write(path)
}

// DestroyBackup implements rpc.Volumed. The place may be of another id than the fence:
// a record can be imported under one.
func (s *Server) DestroyBackup(ctx context.Context, f rpc.Fence, place rpc.BackupPlace) (*rpc.Operation, error) {
	fence, err := s.admitPlace(f, place, true)
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "destroy_backup", fence: fence, limit: workLimit,
		locks: []want{{space: storageOf, id: f.ResourceID}, {space: storageOf, id: place.ID}},
		do: func(ctx context.Context, _ *operation) error {
			if err := s.dropSnapshotOf(ctx, place.ID); err != nil {
				return err
			}
			return s.options.Backups.Store.Remove(ctx, placeOf(place))
		},
	})
}

// BackupManifest implements rpc.Volumed.
func (s *Server) BackupManifest(ctx context.Context, place rpc.BackupPlace) (*rpc.BackupManifest, error) {
	if s.options.Backups == nil {
		return nil, errNoBackups
	}
	m, err := s.options.Backups.Store.Manifest(ctx, placeOf(place))
	if err != nil {
		return nil, err
	}
	return manifestOf(m), nil
}

// BackupManifests implements rpc.Volumed.
func (s *Server) BackupManifests(ctx context.Context, container, after string) ([]*rpc.BackupManifest, error) {
	if s.options.Backups == nil {
		return nil, errNoBackups
	}
	all, err := s.options.Backups.Store.Manifests(ctx, container, after, pageManifests)
	page := make([]*rpc.BackupManifest, 0, len(all))
	for _, m := range all {
		page = append(page, manifestOf(m))
	}
	return page, err
}

func manifestOf(m *backup.Manifest) *rpc.BackupManifest {
	told := &rpc.BackupManifest{
		Place:    &rpc.BackupPlace{ID: m.ID, Container: m.Container},
		VolumeID: m.VolumeID, Bytes: m.Bytes, Objects: int32(m.Objects), StoredBytes: m.StoredBytes,
		CreatedAt: m.CreatedAt, Metadata: m.Metadata, Needs: []string{},
	}
	if m.Parent != nil {
		told.Parent, told.ParentContainer = m.Parent.ID, m.Parent.Container
	}
	for _, n := range m.Needs {
		told.Needs = append(told.Needs, n.ID)
	}
	return told
}
