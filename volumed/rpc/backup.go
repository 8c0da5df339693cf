package rpc

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/rpc/gen/node"
)

func (c nodeClient) Backup(ctx context.Context, fence Fence, pool string, place BackupPlace, source BackupSource) (*Operation, error) {
	return operation(c.thrift.Backup(ctx, &fence, pool, &place, &node.BackupSource{
		Source:          &source.Source,
		VolumeID:        source.VolumeID,
		StoredID:        &source.StoredID,
		Bytes:           source.Bytes,
		Parent:          source.Parent,
		ParentContainer: source.ParentContainer,
		Metadata:        source.Metadata,
	}))
}

func (c nodeClient) Restore(ctx context.Context, fence Fence, pool string, place BackupPlace, bytes int64, overwrite bool) (*Operation, error) {
	return operation(c.thrift.Restore(ctx, &fence, pool, &place, bytes, overwrite))
}

func (c nodeClient) DestroyBackup(ctx context.Context, fence Fence, place BackupPlace) (*Operation, error) {
	return operation(c.thrift.DestroyBackup(ctx, &fence, &place))
}

func (c nodeClient) BackupManifest(ctx context.Context, place BackupPlace) (*BackupManifest, error) {
	return plain(c.thrift.BackupManifest(ctx, &place))
}

func (c nodeClient) BackupManifests(ctx context.Context, container, after string) ([]*BackupManifest, error) {
	return plain(c.thrift.BackupManifests(ctx, container, after))
}

func (s nodeServer) Backup(ctx context.Context, fence *node.Fence, pool string, place *node.BackupPlace, source *node.BackupSource) (*node.Operation, error) {
	return report(ctx, "backup", fence, func() (*Operation, error) {
		if source == nil || source.Source == nil {
			return nil, fault.New(fault.Invalid, "the call lacks its source")
		}
		return s.impl.Backup(ctx, *fence, pool, placed(place), BackupSource{
			Source:          *source.Source,
			VolumeID:        source.VolumeID,
			StoredID:        source.GetStoredID(),
			Bytes:           source.Bytes,
			Parent:          source.Parent,
			ParentContainer: source.ParentContainer,
			Metadata:        source.Metadata,
		})
	})
}

func (s nodeServer) Restore(ctx context.Context, fence *node.Fence, pool string, place *node.BackupPlace, bytes int64, overwrite bool) (*node.Operation, error) {
	return report(ctx, "restore", fence, func() (*Operation, error) {
		return s.impl.Restore(ctx, *fence, pool, placed(place), bytes, overwrite)
	})
}

func (s nodeServer) DestroyBackup(ctx context.Context, fence *node.Fence, place *node.BackupPlace) (*node.Operation, error) {
	return report(ctx, "destroy_backup", fence, func() (*Operation, error) {
		return s.impl.DestroyBackup(ctx, *fence, placed(place))
	})
}

func (s nodeServer) BackupManifest(ctx context.Context, place *node.BackupPlace) (*node.BackupManifest, error) {
	return answer(ctx, "backup_manifest", func() (*BackupManifest, error) { return s.impl.BackupManifest(ctx, placed(place)) })
}

func (s nodeServer) BackupManifests(ctx context.Context, container, after string) ([]*node.BackupManifest, error) {
	return answer(ctx, "backup_manifests", func() ([]*BackupManifest, error) {
		return s.impl.BackupManifests(ctx, container, after)
	})
}

// placed gives no place for a call that lacks it: that is refused as any id that
// is none.
func placed(place *node.BackupPlace) BackupPlace {
	if place == nil {
		return BackupPlace{}
	}
	return *place
}
