// Package posix keeps backups' objects as files of one directory, which may be an
// NFS mount that several nodes share.
//
// A file under an object's key is always whole, unless the power failed before Flush:
// it is written elsewhere in the directory (.clinker/tmp) and renamed. What a crash
// left there is taken away an hour later by whoever opens the directory.
//
// The package must never touch anything outside its directory, wherever a symbolic
// link in it may point: os.Root sees to that.
package posix
