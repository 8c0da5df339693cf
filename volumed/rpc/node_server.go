package rpc

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/rpc/gen/node"
)

// nodeServer turns the IDL's types into Volumed's plain ones and back. The
// generated reader sees to it that required structs are there.
type nodeServer struct{ impl Volumed }

func (s nodeServer) Stats(ctx context.Context) (*node.Stats, error) {
	return answer(ctx, "stats", func() (*Stats, error) { return s.impl.Stats(ctx) })
}

func (s nodeServer) Create(ctx context.Context, fence *node.Fence, pool string, bytes int64, blank bool) (*node.Operation, error) {
	return report(ctx, "create", fence, func() (*Operation, error) { return s.impl.Create(ctx, *fence, pool, bytes, blank) })
}

func (s nodeServer) Extend(ctx context.Context, fence *node.Fence, pool string, bytes int64) (*node.Operation, error) {
	return report(ctx, "extend", fence, func() (*Operation, error) { return s.impl.Extend(ctx, *fence, pool, bytes) })
}

func (s nodeServer) Destroy(ctx context.Context, fence *node.Fence, pool string) (*node.Operation, error) {
	return report(ctx, "destroy", fence, func() (*Operation, error) { return s.impl.Destroy(ctx, *fence, pool) })
}

func (s nodeServer) Snapshot(ctx context.Context, fence *node.Fence, pool, volumeID string) (*node.Operation, error) {
	return report(ctx, "snapshot", fence, func() (*Operation, error) { return s.impl.Snapshot(ctx, *fence, pool, volumeID) })
}

func (s nodeServer) SnapshotGroup(ctx context.Context, fence *node.Fence, members []*node.Member, together bool) (*node.Operation, error) {
	return report(ctx, "snapshot_group", fence, func() (*Operation, error) {
		return s.impl.SnapshotGroup(ctx, *fence, members, together)
	})
}

func (s nodeServer) DestroySnapshot(ctx context.Context, fence *node.Fence, pool string) (*node.Operation, error) {
	return report(ctx, "destroy_snapshot", fence, func() (*Operation, error) { return s.impl.DestroySnapshot(ctx, *fence, pool) })
}

func (s nodeServer) CopyFrom(ctx context.Context, fence *node.Fence, pool string, source *node.Source, bytes int64) (*node.Operation, error) {
	return report(ctx, "copy_from", fence, func() (*Operation, error) {
		if source == nil {
			return nil, fault.New(fault.Invalid, "the call lacks its source")
		}
		return s.impl.CopyFrom(ctx, *fence, pool, *source, bytes)
	})
}

func (s nodeServer) CopyImage(ctx context.Context, fence *node.Fence, pool string, image *node.Image, bytes int64) (*node.Operation, error) {
	return report(ctx, "copy_image", fence, func() (*Operation, error) {
		if image == nil {
			return nil, fault.New(fault.Invalid, "the call lacks its image")
		}
		return s.impl.CopyImage(ctx, *fence, pool, plainImage(image), bytes)
	})
}

func (s nodeServer) Reimage(ctx context.Context, fence *node.Fence, pool string, image *node.Image, bytes int64) (*node.Operation, error) {
	return report(ctx, "reimage", fence, func() (*Operation, error) {
		if image == nil {
			return nil, fault.New(fault.Invalid, "the call lacks its image")
		}
		return s.impl.Reimage(ctx, *fence, pool, plainImage(image), bytes)
	})
}

func plainImage(image *node.Image) Image {
	plain := Image{
		URL:        image.URL,
		Token:      Secret(image.Token),
		DiskFormat: image.DiskFormat,
		Bytes:      image.Bytes,
		HashAlgo:   image.HashAlgo,
		HashValue:  image.HashValue,
		Checksum:   image.Checksum,
		Encrypted:  image.Encrypted,
	}
	if l := image.Luks; l != nil {
		plain.LUKS = &LUKS{Version: l.Version, Cipher: l.Cipher, KeyBits: int(l.KeyBits), Passphrase: Secret(l.Passphrase)}
	}
	return plain
}

func (s nodeServer) UploadImage(ctx context.Context, fence *node.Fence, pool string, upload *node.Upload, bytes int64) (*node.Operation, error) {
	return report(ctx, "upload_image", fence, func() (*Operation, error) {
		if upload == nil {
			return nil, fault.New(fault.Invalid, "the call lacks its image")
		}
		return s.impl.UploadImage(ctx, *fence, pool, Upload{
			ImageID:    upload.ImageID,
			URL:        upload.URL,
			Token:      Secret(upload.Token),
			DiskFormat: upload.DiskFormat,
		}, bytes)
	})
}

func (s nodeServer) Revert(ctx context.Context, fence *node.Fence, pool, snapshotID string, bytes int64) (*node.Operation, error) {
	return report(ctx, "revert", fence, func() (*Operation, error) { return s.impl.Revert(ctx, *fence, pool, snapshotID, bytes) })
}

func (s nodeServer) Lend(ctx context.Context, fence *node.Fence, pool string, bytes int64, reader, token string) (bool, error) {
	return answer(ctx, "lend", func() (bool, error) {
		if fence == nil {
			return false, fault.New(fault.Invalid, "the call lacks its fence")
		}
		return true, s.impl.Lend(ctx, *fence, pool, bytes, reader, Secret(token))
	})
}

func (s nodeServer) MoveIn(ctx context.Context, fence *node.Fence, pool string, from *node.Lender, bytes int64) (*node.Operation, error) {
	return report(ctx, "move_in", fence, func() (*Operation, error) {
		if from == nil {
			return nil, fault.New(fault.Invalid, "the call lacks its lender")
		}
		return s.impl.MoveIn(ctx, *fence, pool, Lender{
			NodeUUID:   from.NodeUUID,
			Endpoint:   from.Endpoint,
			Generation: from.Generation,
			Token:      Secret(from.Token),
		}, bytes)
	})
}

func (s nodeServer) Manageable(ctx context.Context, pool string) ([]*node.Candidate, error) {
	return answer(ctx, "manageable", func() ([]*Candidate, error) { return s.impl.Manageable(ctx, pool) })
}

func (s nodeServer) Manage(ctx context.Context, fence *node.Fence, pool string, kind node.Kind, reference string, bytes int64, volumeID string) (*node.Operation, error) {
	return report(ctx, "manage", fence, func() (*Operation, error) {
		return s.impl.Manage(ctx, *fence, pool, kind, reference, bytes, volumeID)
	})
}

func (s nodeServer) Unmanage(ctx context.Context, fence *node.Fence, pool string, kind node.Kind, reference string) (*node.Operation, error) {
	return report(ctx, "unmanage", fence, func() (*Operation, error) {
		return s.impl.Unmanage(ctx, *fence, pool, kind, reference)
	})
}

func (s nodeServer) Cancel(ctx context.Context, id string) (*node.Operation, error) {
	return report(ctx, "cancel", &node.Fence{OperationID: id}, func() (*Operation, error) { return s.impl.Cancel(ctx, id) })
}

func (s nodeServer) Operation(ctx context.Context, id string, waitMS int32) (*node.Operation, error) {
	return report(ctx, "operation", &Fence{}, func() (*Operation, error) {
		return s.impl.Operation(ctx, id, time.Duration(waitMS)*time.Millisecond)
	})
}

func (s nodeServer) Grant(ctx context.Context, fence *node.Fence, pool, volumeID string, g *node.Grant) (*node.Connection, error) {
	return answer(ctx, "grant", func() (*node.Connection, error) {
		if fence == nil || g == nil || g.Limits == nil {
			return nil, fault.New(fault.Invalid, "the call lacks its fence, its grant or the limits")
		}
		c, err := s.impl.Grant(ctx, *fence, pool, volumeID, Grant{
			AttachmentID: g.AttachmentID,
			Initiator:    g.Initiator,
			Username:     g.Username,
			Password:     Secret(g.Password),
			ReadOnly:     g.ReadOnly,

			Limits:           *g.Limits,
			VolumeGeneration: g.VolumeGeneration,
		})
		if err != nil {
			return nil, err
		}
		return &node.Connection{
			Protocol: c.Protocol,
			Portals:  c.Portals,
			Iqn:      c.IQN,
			Lun:      int32(c.LUN),
			Username: c.Username,
			Password: string(c.Password),
			ReadOnly: c.ReadOnly,
		}, nil
	})
}

func (s nodeServer) Revoke(ctx context.Context, fence *node.Fence, pool, volumeID string) (bool, error) {
	return answer(ctx, "revoke", func() (bool, error) {
		if fence == nil {
			return false, fault.New(fault.Invalid, "the call lacks its fence")
		}
		return true, s.impl.Revoke(ctx, *fence, pool, volumeID)
	})
}

func (s nodeServer) Limit(ctx context.Context, fence *node.Fence, pool string, limits *node.Limits) (bool, error) {
	return answer(ctx, "limit", func() (bool, error) {
		if fence == nil || limits == nil {
			return false, fault.New(fault.Invalid, "the call lacks its fence or the limits")
		}
		return true, s.impl.Limit(ctx, *fence, pool, *limits)
	})
}

func (s nodeServer) Stored(ctx context.Context, pool string) ([]*node.Stored, error) {
	return answer(ctx, "stored", func() ([]*Stored, error) { return s.impl.Stored(ctx, pool) })
}

func (s nodeServer) Exports(ctx context.Context, pool string) ([]*node.Export, error) {
	return answer(ctx, "exports", func() ([]*Export, error) { return s.impl.Exports(ctx, pool) })
}

func (s nodeServer) LogLevels(ctx context.Context, prefix string) (map[string]string, error) {
	return answer(ctx, "log_levels", func() (map[string]string, error) { return s.impl.LogLevels(ctx, prefix) })
}

func (s nodeServer) SetLogLevels(ctx context.Context, prefix, level string) (bool, error) {
	return answer(ctx, "set_log_levels", func() (bool, error) { return true, s.impl.SetLogLevels(ctx, prefix, level) })
}

// registryServer is the same for Registry.
type registryServer struct{ impl Registry }

func (s registryServer) Announce(ctx context.Context, n *node.Node) (bool, error) {
	return answer(ctx, "announce", func() (bool, error) {
		if n == nil {
			return false, fault.New(fault.Invalid, "the call lacks its node")
		}
		return true, s.impl.Announce(ctx, *n)
	})
}

// report is answer for what gives an operation.
func report(ctx context.Context, method string, fence *node.Fence, do func() (*Operation, error)) (*node.Operation, error) {
	return answer(ctx, method, func() (*node.Operation, error) {
		if fence == nil {
			return nil, fault.New(fault.Invalid, "the call lacks its fence")
		}
		o, err := do()
		if err != nil {
			return nil, err
		}
		wire := &node.Operation{ID: o.ID, State: o.State, BytesDone: o.BytesDone, BytesTotal: o.BytesTotal}
		if o.Objects > 0 {
			wire.Objects = new(int32(min(o.Objects, math.MaxInt32)))
		}
		if o.Failure != nil {
			refusal := refuse(ctx, method, o.Failure)
			wire.Code, wire.Message = &refusal.Code, &refusal.Message
		}
		return wire, nil
	})
}

// answer runs one call. Whatever goes wrong in it, a panic included, leaves
// as a refusal: any other error would have Thrift send its text.
func answer[T any](ctx context.Context, method string, do func() (T, error)) (result T, err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.ErrorContext(ctx, "call panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
			err = refuse(ctx, method, fmt.Errorf("panic: %v", p))
		}
	}()
	result, err = do()
	if err != nil {
		return result, refuse(ctx, method, err)
	}
	return result, nil
}
