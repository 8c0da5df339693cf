package main

import (
	"fmt"
	"path/filepath"

	"clinker/internal/conf"
	"clinker/volumed"
	"clinker/volumed/backup"
	"clinker/volumed/backup/posix"
	"clinker/volumed/backup/s3"
)

// newBackups gives where a node keeps backups, nil when it keeps none. The store is
// not looked at yet: volumes are served whether it can be reached or not.
func newBackups(cfg *conf.Config) (*volumed.Backups, error) {
	b := cfg.Backup
	driver, err := backupDriver(b)
	if err != nil || driver == nil {
		return nil, err
	}
	if err := backup.CheckContainer(b.Container); err != nil {
		return nil, fmt.Errorf("[DEFAULT] backup_container = %s: %w", b.Container, err)
	}
	return &volumed.Backups{
		Driver: b.Driver, Container: b.Container, AtOnce: b.MaxOperations,
		Store: backup.New(backup.Options{
			Driver: driver, Location: b.Location(), KeyFile: b.KeyFile, Compress: b.Compression == "zstd",
			Note: filepath.Join(cfg.StatePath, "backup-store"),
		}),
	}, nil
}

func backupDriver(b conf.Backup) (backup.Driver, error) {
	switch b.Driver {
	case "posix":
		return posix.New(b.PosixPath)
	case "s3":
		return s3.New(s3.Options{
			Endpoint: b.S3EndpointURL, Bucket: b.S3Bucket, AccessKey: b.S3AccessKey, SecretKey: b.S3SecretKey.Reveal(),
			Region: b.S3Region, Insecure: !b.S3VerifySSL, CAFile: b.S3CACertFile,
		})
	}
	return nil, nil
}
