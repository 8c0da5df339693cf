package volumed

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/copy"
	"clinker/volumed/rpc"
)

// stillEnds is how long taking away a copy of a volume in use may take.
const stillEnds = time.Minute

// UploadImage implements rpc.Volumed. The volume may be in use: it is read as it
// is at one moment, if the pool can keep that, and else as it changes, which is
// what its user has been warned of by having to force it. The token lives as long
// as the operation.
func (s *Server) UploadImage(ctx context.Context, f rpc.Fence, poolName string, upload rpc.Upload, bytes int64) (*rpc.Operation, error) {
	p, fence, err := s.admitCopy(f, poolName, bytes)
	if err == nil {
		err = checkID("image_id", upload.ImageID)
	}
	if err == nil && upload.ImageID == f.ResourceID {
		err = fault.New(fault.Invalid, "an image and its volume have different ids")
	}
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "upload_image", fence: fence, limit: copyLimit, total: bytes,
		locks: []want{{space: storageOf, id: f.ResourceID, shared: true}, {space: storageOf, id: upload.ImageID}},
		do: func(ctx context.Context, o *operation) error {
			name, release, err := s.atRest(ctx, p, f.ResourceID, upload.ImageID)
			if err != nil {
				return err
			}
			defer release()
			path, err := p.Storage.Device(ctx, name)
			if err != nil {
				return err
			}
			to := copy.Upload{URL: upload.URL, Token: copy.Token(upload.Token), DiskFormat: upload.DiskFormat, Compress: s.options.CompressUploads}
			return s.options.Copier.Upload(ctx, to, path, bytes, o.bytesDone.Store)
		},
	})
}

// atRest gives the name of what holds the volume as it is now: its own, or that of
// a snapshot under another id when somebody may write to it.
func (s *Server) atRest(ctx context.Context, p *pool, volumeID, id string) (name string, release func(), err error) {
	volume, still, nothing := backend.VolumeName(volumeID), backend.SnapshotName(id), func() {}
	if s.exported(volume) == nil {
		return volume, nothing, nil
	}
	if err := s.journal.KeepStill(volumeID, rpc.PoolName(p.Backend, p.Name), id); err != nil {
		return "", nil, err
	}
	err = p.Storage.Snapshot(ctx, volume, still)
	if fault.Is(err, fault.NoSpace) || fault.Is(err, fault.Busy) || fault.Is(err, fault.Unsupported) {
		slog.WarnContext(ctx, "a volume in use is read while it changes", "volume", volumeID, "because", err)
		return volume, nothing, nil
	}
	if err != nil {
		return "", nil, err
	}
	return still, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stillEnds)
		defer cancel()
		if err := s.dropStill(ctx, p, volumeID, id); err != nil {
			slog.WarnContext(ctx, "the copy of a volume in use is left for now", "snapshot", still, "error", err)
		}
	}, nil
}

// dropStill takes the copy of a volume away that an image was made of. The caller
// holds the image's lock.
func (s *Server) dropStill(ctx context.Context, p *pool, volumeID, imageID string) error {
	defer ring(p.wipe)
	if err := p.Storage.Delete(ctx, backend.SnapshotName(imageID)); err != nil {
		return err
	}
	return s.journal.UnkeepStill(volumeID, imageID)
}

// dropStills takes away what uploads have left that a kill ended, or whose end could
// not clear up: of one volume, whose lock the caller holds, or ("") of all that nothing
// is done with.
func (s *Server) dropStills(ctx context.Context, volumeID string) error {
	kept, err := s.journal.Stills()
	if err != nil {
		return err
	}
	var errs []error
	for _, k := range kept {
		for image, poolName := range k.Stills {
			if volumeID != "" && volumeID != k.Volume || volumeID == "" && s.work.worksOn(k.Volume) {
				continue
			}
			p, err := s.pool(poolName)
			if err != nil { // the node has that pool no more
				errs = append(errs, s.journal.UnkeepStill(k.Volume, image))
				continue
			}
			errs = append(errs, s.locked(ctx, image, func() error { return s.dropStill(ctx, p, k.Volume, image) }))
		}
	}
	return errors.Join(errs...)
}
