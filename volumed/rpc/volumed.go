package rpc

import (
	"context"
	"time"
)

// VolumedPath is where on a node's endpoint Volumed is served.
const VolumedPath = "/volumed"

// Volumed is what a storage node offers to the control plane. A pool is named
// backend#pool (PoolOf). Every method may be repeated. Errors are faults; of
// any method: Invalid, Stale, NotFound, Busy, Unavailable, Timeout, Forbidden,
// Internal. After Unavailable or Timeout the outcome is unknown: repeat the
// call as it was, or ask with Operation.
//
// The methods that give an Operation wait for its end as long as the context's
// deadline allows, at most 15 s, and then answer Running while the work goes
// on. One that Failed is no error: the reason is in its Failure.
type Volumed interface {
	// Stats tells who the node is and how full and busy its pools are.
	Stats(ctx context.Context) (*Stats, error)

	// Create makes a volume of that many bytes. Failed with Conflict when it
	// exists with another size, with NoSpace when the pool is full. With blank
	// its first 32 MiB read as zeroes in every pool: whoever attaches a volume that
	// is to be encrypted takes it for unused only then.
	Create(ctx context.Context, fence Fence, pool string, bytes int64, blank bool) (*Operation, error)

	// Extend makes the volume that many bytes long and lets its initiators
	// see it. Failed with Invalid when it is longer already.
	Extend(ctx context.Context, fence Fence, pool string, bytes int64) (*Operation, error)

	// Destroy takes the volume away; Done also when there is none. Failed
	// with Busy while it is exported or a snapshot depends on it.
	Destroy(ctx context.Context, fence Fence, pool string) (*Operation, error)

	// Snapshot keeps the volume as it is now. The fence's resource is the
	// snapshot.
	Snapshot(ctx context.Context, fence Fence, pool, volumeID string) (*Operation, error)

	// SnapshotGroup keeps several volumes as they are now, directly one after the
	// other: all of them, or it has Failed, and what it made is remains. The
	// fence's resource is the group snapshot; each member has its own generation.
	// Interrupted, it begins with all of them anew. together: Failed with
	// Unsupported unless they are of one moment, which volumes are that nobody is
	// let in to.
	SnapshotGroup(ctx context.Context, fence Fence, members []*Member, together bool) (*Operation, error)

	// DestroySnapshot takes a snapshot away; Done also when there is none.
	// The fence's resource is the snapshot.
	DestroySnapshot(ctx context.Context, fence Fence, pool string) (*Operation, error)

	// CopyFrom makes the fence's volume, that many bytes long, as a copy of
	// a source in the same pool.
	CopyFrom(ctx context.Context, fence Fence, pool string, source Source, bytes int64) (*Operation, error)

	// CopyImage makes the fence's volume, that many bytes long, of an image. Failed
	// with Invalid when the image is not what it is said to be, would open other
	// files, or does not fit; with Unavailable when its bytes cannot be had at the
	// moment. There is no volume before it is Done. A node that was interrupted
	// begins anew with the address and token of the repeated call.
	CopyImage(ctx context.Context, fence Fence, pool string, image Image, bytes int64) (*Operation, error)

	// Reimage makes the volume, that many bytes long, hold an image, zeroes behind
	// it, and nothing of what it held. Failed as CopyImage is, and with Busy while
	// the volume is exported or open. Until it is Done the volume may be partly the
	// one and partly the other. A node that was interrupted begins anew with the
	// address and token of the repeated call.
	Reimage(ctx context.Context, fence Fence, pool string, image Image, bytes int64) (*Operation, error)

	// UploadImage sends the volume, that many bytes long, to an image, as it is at
	// one moment if the pool can keep that of a volume in use. Failed with Conflict
	// when the image does not wait for its bytes, with Unavailable when the image
	// service does not take them at the moment, with Invalid when it will not, or
	// has got others than it was sent. Only Done tells that the image is whole.
	UploadImage(ctx context.Context, fence Fence, pool string, upload Upload, bytes int64) (*Operation, error)

	// Revert makes the volume as its snapshot is and that many bytes long, which
	// is as long as the volume is now: what lies behind the snapshot's end is
	// blank. The snapshot stays. Failed with Busy while the volume is exported or
	// open, with NotFound when there is no such snapshot. Until it is Done the
	// volume may be partly the one and partly the other.
	Revert(ctx context.Context, fence Fence, pool, snapshotID string, bytes int64) (*Operation, error)

	// Backup backs a volume or snapshot of the pool up into the node's store; the
	// fence's resource is the backup. Of an exported volume it takes a snapshot
	// first, which bears the backup's id in Stored: Failed with Busy where the pool
	// can take none of a volume in use. In a thin pool the snapshot of the last good
	// backup stays. Failed with NotFound or Invalid when the parent is none, with
	// Unavailable when the store cannot be reached, with NoSpace. There is no backup
	// before it is Done, and Objects tells how many objects it has.
	Backup(ctx context.Context, fence Fence, pool string, place BackupPlace, source BackupSource) (*Operation, error)

	// Restore makes the fence's volume, that many bytes long, of a backup, and
	// verifies every byte of it. overwrite: the volume is there, is as long, and is
	// written over; Failed with Busy while it is exported. Failed with Invalid when
	// the backup is longer or damaged, with NotFound when there is none.
	Restore(ctx context.Context, fence Fence, pool string, place BackupPlace, bytes int64, overwrite bool) (*Operation, error)

	// DestroyBackup takes a backup, or what an interrupted one left, out of the
	// store; Done also when there is none. The fence's resource is the backup.
	// Whether other backups need it (BackupManifest.Needs) is not looked at.
	DestroyBackup(ctx context.Context, fence Fence, place BackupPlace) (*Operation, error)

	// BackupManifest tells what the store says of a backup. NotFound when there is
	// none that is whole, Invalid when it is damaged or not authentic.
	BackupManifest(ctx context.Context, place BackupPlace) (*BackupManifest, error)

	// BackupManifests tells the whole backups in a container, a page at a time, in
	// the order of their ids and beginning after one; an empty page is the end.
	// Damaged ones are left out and logged.
	BackupManifests(ctx context.Context, container, after string) ([]*BackupManifest, error)

	// Lend lets another node read the fence's volume, that many bytes long, for some
	// minutes; calling it again prolongs that. reader is the name or address that
	// the other node's certificate must be valid for, "" when it is this node itself
	// that reads. token is what the reader shows besides, at least 32 characters.
	// Busy while the volume is exported, NotFound when there is none. A grant ends
	// the loan, and so does taking the volume away.
	Lend(ctx context.Context, fence Fence, pool string, bytes int64, reader string, token Secret) error

	// MoveIn makes the fence's volume, that many bytes long, of the one that another
	// node lends, or this one in another pool. Failed with Unavailable when that
	// gives nothing for some minutes, with Conflict when what came is not what is
	// there. There is no volume before it is Done. A node that was interrupted
	// begins anew when the call is repeated.
	MoveIn(ctx context.Context, fence Fence, pool string, from Lender, bytes int64) (*Operation, error)

	// Manageable tells all volumes and snapshots in the pool, whoever made them,
	// and of each why it cannot be managed, if it cannot. Trash is left out.
	Manageable(ctx context.Context, pool string) ([]*Candidate, error)

	// Manage gives what lies in the pool under the reference the name of the
	// fence's volume or snapshot, by kind, and makes it at least that many bytes
	// long; what it holds stays. A snapshot must be one of the volume. Failed with
	// NotFound when there is no such thing, with Busy while something has it
	// open, with Conflict when it is of the wrong kind, with NoSpace when it
	// cannot be made that long; it bears the reference again then.
	Manage(ctx context.Context, fence Fence, pool string, kind Kind, reference string, bytes int64, volumeID string) (*Operation, error)

	// Unmanage forgets a volume or snapshot: it stays in the pool with all it
	// holds, renamed to the reference unless that is "". Done also when there is
	// none. Failed with Busy while it is exported.
	Unmanage(ctx context.Context, fence Fence, pool string, kind Kind, reference string) (*Operation, error)

	// Operation waits up to that long (in whole milliseconds, at most 15 s)
	// for an operation's end. NotFound when the node does not know it, as
	// after a restart or an hour after its end: then repeat the call.
	Operation(ctx context.Context, id string, wait time.Duration) (*Operation, error)

	// Cancel ends an operation that is under way, which has Failed with Cancelled
	// then, and leaves behind what one does that failed for another reason: only one
	// that writes to what was there before (Revert, Extend) leaves that changed. One
	// that ended before tells how it ended. NotFound as of Operation.
	Cancel(ctx context.Context, id string) (*Operation, error)

	// Grant lets an initiator log in to the volume. The fence's resource is
	// the attachment. NotFound when there is no such volume.
	Grant(ctx context.Context, fence Fence, pool, volumeID string, grant Grant) (*Connection, error)

	// Revoke takes the attachment's grant away and, unless another
	// attachment has the same initiator, cuts its session before it returns.
	// No error when there was none. The fence's resource is the attachment.
	Revoke(ctx context.Context, fence Fence, pool, volumeID string) error

	// Limit changes what the volume is limited to, as long as it is exported; no
	// error when it is not. The fence's resource is the volume: of limits that were
	// granted or set, those of its highest generation stay. A node whose pool has no
	// QoS_support keeps them in mind and limits nothing.
	Limit(ctx context.Context, fence Fence, pool string, limits Limits) error

	// Stored tells all that Clinker has in the pool.
	Stored(ctx context.Context, pool string) ([]*Stored, error)

	// Exports tells all grants in the pool, and which the target has.
	Exports(ctx context.Context, pool string) ([]*Export, error)

	// LogLevels tells the levels of the process's logs whose names begin with
	// the prefix.
	LogLevels(ctx context.Context, prefix string) (map[string]string, error)

	// SetLogLevels sets the level of all logs whose names begin with the prefix.
	// Invalid when there is no such level.
	SetLogLevels(ctx context.Context, prefix, level string) error
}
