// Package backup keeps what volumes held in a store away from their pool: the
// format, and in the packages below it the drivers, posix (a directory) and s3 (a
// bucket).
//
// A volume is cut into chunks of a fixed size. Each that is not all zeroes is
// compressed and becomes one object, named by an authenticated digest (BLAKE3 with a key)
// of what it holds. A table says for every chunk which digest it has and which
// backup's object that is: an incremental backup uses those of the backups that it
// adds to, so that restoring reads one table and no chain. The manifest, which
// carries the table's digests and is authenticated itself, is written last.
//
//	<container>/manifest/<backup>        what Head describes, and its HMAC
//	<container>/data/<backup>/<digest>   a chunk, or a piece of the table
//	.clinker/store                       the store's id, and what tells its key
//	.clinker/removed/<backup>            it was taken away before it was whole
//
// The package must never trust a byte of the store: what is read is bounded, and
// nothing of it is believed before its digest has been compared. It must not write
// outside its container, nor log the key.
//
// The invariants: there is a backup exactly when there is its manifest, and then
// all its objects are durable; nothing changes an object that a manifest names; a
// Restore that returned nil has written exactly the bytes that were backed up.
package backup
