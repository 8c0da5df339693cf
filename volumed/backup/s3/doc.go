// Package s3 keeps backups' objects in a bucket of any service that speaks Amazon's
// S3 protocol.
//
// An object is sent by one request, and is there whole or not at all. The package
// must never log the secret key, nor put it into an error.
package s3
