package volumed

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/copy"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
)

// CopyImage implements rpc.Volumed. The address and the token live as long as the
// operation: the journal keeps neither, so that after a restart the caller brings
// them again.
func (s *Server) CopyImage(ctx context.Context, f rpc.Fence, poolName string, image rpc.Image, bytes int64) (*rpc.Operation, error) {
	p, fence, err := s.admitCopy(f, poolName, bytes)
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "copy_image", fence: fence, limit: copyLimit, total: image.Bytes,
		locks: []want{{space: storageOf, id: f.ResourceID}},
		do: func(ctx context.Context, o *operation) error {
			defer ring(p.wipe) // a copy that failed leaves something behind
			write := func(ctx context.Context, path string, blank bool) error {
				return s.options.Copier.Write(ctx, imageOf(image), copy.Target{Path: path, Bytes: bytes, Blank: blank, LUKS: luksOf(image)}, o.bytesDone.Store)
			}
			return p.Storage.Import(ctx, backend.VolumeName(f.ResourceID), bytes, write)
		},
	})
}

// Reimage implements rpc.Volumed. Nobody is let in while it goes on, as with
// Revert.
func (s *Server) Reimage(ctx context.Context, f rpc.Fence, poolName string, image rpc.Image, bytes int64) (*rpc.Operation, error) {
	p, fence, err := s.admitCopy(f, poolName, bytes)
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "reimage", fence: fence, limit: copyLimit, total: image.Bytes,
		locks: []want{{space: storageOf, id: f.ResourceID}, {space: exportOf, id: f.ResourceID}},
		do: func(ctx context.Context, o *operation) error {
			release, err := s.alone(ctx, f.ResourceID, poolName)
			if err != nil {
				return err
			}
			defer release()
			defer ring(p.wipe) // the volume as it was may be trash now
			write := func(ctx context.Context, path string, blank bool) error {
				to := copy.Target{Path: path, Bytes: bytes, Blank: blank, Whole: true, LUKS: luksOf(image)}
				return s.options.Copier.Write(ctx, imageOf(image), to, o.bytesDone.Store)
			}
			return p.Storage.Replace(ctx, backend.VolumeName(f.ResourceID), bytes, write)
		},
	})
}

// admitCopy is admit for what needs a Copier.
func (s *Server) admitCopy(f rpc.Fence, poolName string, bytes int64) (*pool, journal.Fence, error) {
	p, fence, err := s.admit(f, poolName, false, checkBytes(bytes))
	if err == nil && s.options.Copier == nil {
		err = fault.New(fault.Unsupported, "this node does not copy images")
	}
	return p, fence, err
}

func imageOf(i rpc.Image) copy.Image {
	return copy.Image{
		URL:        i.URL,
		Token:      copy.Token(i.Token),
		DiskFormat: i.DiskFormat,
		SizeBytes:  i.Bytes,
		HashAlgo:   i.HashAlgo,
		HashValue:  i.HashValue,
		Checksum:   i.Checksum,
		Encrypted:  i.Encrypted,
	}
}

// luksOf is how the volume is to be encrypted; the passphrase lives as long as the
// operation.
func luksOf(i rpc.Image) *copy.LUKS {
	if i.LUKS == nil {
		return nil
	}
	return &copy.LUKS{Version: i.LUKS.Version, Cipher: i.LUKS.Cipher, KeyBits: i.LUKS.KeyBits, Passphrase: copy.Token(i.LUKS.Passphrase)}
}
