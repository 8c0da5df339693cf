package volumed

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

var errNoBackups = fault.New(fault.Unsupported, "this storage node keeps no backups: it has no backup_driver")

// Backup implements rpc.Volumed.
func (s *Server) Backup(ctx context.Context, f rpc.Fence, poolName string, place rpc.BackupPlace, source rpc.BackupSource) (*rpc.Operation, error) {
	return nil, errNoBackups
}

// Restore implements rpc.Volumed.
func (s *Server) Restore(ctx context.Context, f rpc.Fence, poolName string, place rpc.BackupPlace, bytes int64, overwrite bool) (*rpc.Operation, error) {
	return nil, errNoBackups
}

// DestroyBackup implements rpc.Volumed.
func (s *Server) DestroyBackup(ctx context.Context, f rpc.Fence, place rpc.BackupPlace) (*rpc.Operation, error) {
	return nil, errNoBackups
}

// BackupManifest implements rpc.Volumed.
func (s *Server) BackupManifest(ctx context.Context, place rpc.BackupPlace) (*rpc.BackupManifest, error) {
	return nil, errNoBackups
}

// BackupManifests implements rpc.Volumed.
func (s *Server) BackupManifests(ctx context.Context, container, after string) ([]*rpc.BackupManifest, error) {
	return nil, errNoBackups
}
