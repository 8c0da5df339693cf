package backend

import (
	"context"

	"clinker/internal/fault"
)

// Backend keeps volumes in one pool. Its methods may be called by many
// goroutines at once; the caller sees to it that two calls never work on the
// same name at the same time.
//
// Every method may be repeated after an error, a timeout or a crash, and then
// finishes what was begun. Errors are faults (internal/fault): Invalid,
// NotFound, Conflict, NoSpace, Busy, Unsupported, Timeout; anything else is Internal.
type Backend interface {
	// Capacity reads how full the pool is. It may answer from a reading that
	// is at most a few seconds old, but never from before a change that this
	// backend made itself; so may List and Trash.
	Capacity(ctx context.Context) (Capacity, error)

	// Create makes a volume of at least size bytes that reads as the pool's
	// rules say (thin and file: zeroes). It is no error when the volume
	// exists already with that size; Conflict when it exists with another.
	Create(ctx context.Context, name string, size int64) error

	// Extend makes the volume size bytes long; what it held stays, what is
	// added is never another volume's old data. Nothing happens when it is as
	// long already, Invalid when longer. It may be in use, unless it is a thick
	// logical volume with snapshots: then Busy.
	Extend(ctx context.Context, name string, size int64) error

	// Delete makes the name free at once: List does not show it afterwards.
	// What must be wiped first appears in Trash. No error when there is no
	// such name; Busy while something has the device open or a snapshot
	// depends on it.
	Delete(ctx context.Context, name string) error

	// Snapshot keeps the volume as it is now under another name. No error
	// when that snapshot of that volume exists. Busy when it is being written
	// to and the pool can copy only a volume at rest (files without reflinks);
	// so may Clone be.
	Snapshot(ctx context.Context, volume, snapshot string) error

	// Clone makes a volume of size bytes that begins with a copy of source
	// (a volume or a snapshot). progress, never nil, is told the bytes done.
	// Cancelled or interrupted, it leaves nothing under name that a later
	// Clone or Delete of the name would not take away.
	Clone(ctx context.Context, source, name string, size int64, progress func(done int64)) error

	// Import makes a volume of size bytes that holds what write puts on it. write
	// gets the path of a block device or file of at least size bytes; with blank
	// it reads as zeroes, which need not be written then. No error, and write is
	// not called, when the volume exists already with that size; Conflict when it
	// exists with another; Unsupported when this pool has names in common with others,
	// and they leave it none. The name comes when write has returned nil and the
	// bytes are on the disk: failed, cancelled or interrupted, there is no such
	// volume, and what was written is trash or gone.
	Import(ctx context.Context, name string, size int64, write func(ctx context.Context, path string, blank bool) error) error

	// Revert makes the volume, which nobody has open, as the snapshot of it is,
	// and size bytes long: what lies behind the snapshot's end is never another
	// volume's old data (thin and file: zeroes). The snapshot stays. progress,
	// never nil, is told the bytes done. Busy while something has the volume
	// open, NotFound when there is no such snapshot. Interrupted, it may leave
	// the volume partly as it was, or none; a further Revert completes it.
	Revert(ctx context.Context, volume, snapshot string, size int64, progress func(done int64)) error

	// Replace makes a volume, which nobody has open, hold what write puts on it and
	// nothing of what it held: write gets a path as in Import, and unless that is
	// blank it must write all size bytes. size is what the volume has, else
	// Conflict. Snapshots stay as they are. Busy while something has the volume
	// open; NotFound, or a new volume, when there is none. The volume is wholly as it
	// was until write has returned nil, unless the path was not blank: then it is
	// partly the one and partly the other. Interrupted, it may leave none; a further
	// Replace completes it.
	Replace(ctx context.Context, name string, size int64, write func(ctx context.Context, path string, blank bool) error) error

	// Device makes the volume usable on this machine and gives the path of
	// its block device or file, to be handed to a target.
	Device(ctx context.Context, name string) (string, error)

	// List tells all volumes and snapshots in the pool that are Clinker's,
	// by name, without trash and without those still being made.
	List(ctx context.Context) ([]Entry, error)

	// Manageable tells all volumes and snapshots in the pool, whoever made them,
	// without trash: what Manage could be given, and what not, and why not.
	Manageable(ctx context.Context) ([]Candidate, error)

	// Manage gives what lies in the pool under a reference one of Clinker's
	// names, and makes it as long as is wanted; what it holds stays, what is
	// added reads as after Extend. NotFound when there is no such thing; Busy
	// while something has it open; Conflict when it is of the wrong kind, or a
	// snapshot of something else, or the name is taken; NoSpace when it cannot be
	// made that long. When it failed, what there is bears the reference. It is no
	// error when the name is there and the reference is not.
	Manage(ctx context.Context, a Adoption) error

	// Unmanage gives what has one of Clinker's names the reference back. No error
	// when there is no such name; Conflict when the reference is taken.
	Unmanage(ctx context.Context, name, reference string) error

	// Trash tells what Delete left to be wiped.
	Trash(ctx context.Context) ([]Entry, error)

	// Purge wipes one entry of Trash and gives its space back. It calls
	// spend before writing that many bytes, at most 4 MiB, and stops with its
	// error; it may be stopped at any point and called again. Busy while
	// something has it open.
	Purge(ctx context.Context, name string, spend func(ctx context.Context, bytes int) error) error
}

// Capacity is how full a pool is, in bytes.
type Capacity struct {
	TotalBytes       int64
	FreeBytes        int64    // physical, as the pool itself sees it
	ProvisionedBytes int64    // virtual size of everything in the pool, trash and strangers included
	LiveBytes        int64    // virtual size of Clinker's own volumes and snapshots, trash excluded
	Thin             bool     // more may be promised than there is
	Disks            []string // kernel names (sda, dm-3) of the disks that carry it, for /proc/diskstats
}

// Entry is something that a pool holds.
type Entry struct {
	Name  string
	Bytes int64 // virtual size
}

// Candidate is something in a pool that could be managed, or that cannot.
type Candidate struct {
	Entry
	Snapshot bool
	Origin   string // name of what a snapshot is of; "" where the pool does not know
	Refusal  string // why it cannot be managed at the moment; "" when it can
}

// Adoption is what Manage is to do.
type Adoption struct {
	Reference string // the name it has
	Name      string // the name it gets: a volume's or a snapshot's
	Bytes     int64  // how long it must be at least
	Origin    string // of a snapshot: the name of its volume
}

// Reason gives why something is refused, in a sentence for people; "" for nil.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	if text := fault.MessageOf(err); text != "" {
		return text
	}
	return "its state cannot be read; the storage node's log says why"
}
