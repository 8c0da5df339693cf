package conf

import (
	"path"
	"strings"

	"clinker/internal/fault"
)

// Backup is the part of [DEFAULT] about a storage node's backups.
type Backup struct {
	Driver        string `ini:"backup_driver" default:"none" choices:"posix,s3,none" alias:"cinder.backup.drivers.posix.PosixBackupDriver=posix,cinder.backup.drivers.s3.S3BackupDriver=s3" help:"Where this machine's volumed keeps backups: posix, a directory or NFS mount; s3, a bucket; none."`
	Container     string `ini:"backup_container" default:"volumebackups" help:"Where in the store backups go that name no container."`
	Compression   string `ini:"backup_compression_algorithm" default:"zstd" choices:"zstd,none" alias:"zlib=zstd,gzip=zstd,bz2=zstd,bzip2=zstd,off=none,no=none" help:"How backups are compressed: zstd, or none."`
	MaxOperations int    `ini:"backup_max_operations" default:"4" min:"0" help:"How many backups and restores one volumed works on at once; 0 is no limit."`
	KeyFile       string `ini:"backup_key_file" default:"" help:"The key that backups are authenticated with, 32 bytes in hex, the same on every node that shares the store. Empty: the store keeps a key of its own, which shows damage but not forgery."`
	PosixPath     string `ini:"backup_posix_path" default:"$state_path/backup" help:"The directory of the posix driver."`

	S3EndpointURL string `ini:"backup_s3_endpoint_url" default:"" help:"The URL of the S3 service."`
	S3Bucket      string `ini:"backup_s3_store_bucket" default:"volumebackups" help:"The bucket; it is made when it is missing."`
	S3AccessKey   string `ini:"backup_s3_store_access_key" default:"" help:"The access key."`
	S3SecretKey   Secret `ini:"backup_s3_store_secret_key" default:"" help:"The secret key."`
	S3VerifySSL   bool   `ini:"backup_s3_verify_ssl" default:"true" help:"Verify the S3 service's certificate."`
	S3CACertFile  string `ini:"backup_s3_ca_cert_file" default:"" help:"The CA certificates that vouch for the S3 service. Empty: the system's."`
	S3Region      string `ini:"backup_s3_region" default:"us-east-1" help:"The region that requests are signed for."`
}

// Location says where the backups are, for people and without secrets; "" when
// there are to be none.
func (b *Backup) Location() string {
	switch b.Driver {
	case "posix":
		return "posix:" + path.Clean(b.PosixPath)
	case "s3":
		return "s3:" + strings.TrimRight(b.S3EndpointURL, "/") + "/" + b.S3Bucket
	}
	return ""
}

// check refuses a store that cannot be reached by what is given.
func (b *Backup) check() error {
	if b.Driver == "posix" && !path.IsAbs(b.PosixPath) {
		return fault.New(fault.Invalid, "[DEFAULT] backup_posix_path = %s: it must begin with /", b.PosixPath)
	}
	if b.Driver != "s3" {
		return nil
	}
	if !isHTTP(b.S3EndpointURL) {
		return fault.New(fault.Invalid, "[DEFAULT] backup_driver = s3 needs backup_s3_endpoint_url, and that begins with http:// or https://")
	}
	if b.S3AccessKey == "" || b.S3SecretKey == "" {
		return fault.New(fault.Invalid, "[DEFAULT] backup_driver = s3 needs backup_s3_store_access_key and backup_s3_store_secret_key")
	}
	return nil
}
