package rpc

import (
	"clinker/internal/fault"
	"clinker/volumed/rpc/gen/node"
)

// What travels as the IDL describes it; sizes are in bytes.
type (
	// Fence makes a call safe to repeat and harmless when it comes late.
	Fence = node.Fence
	// Source is what CopyFrom copies: a VOLUME or a SNAPSHOT.
	Source = node.Source
	// Member is one snapshot of a group.
	Member = node.Member
	// Stats is a node and how full and busy its pools are.
	Stats = node.Stats
	// Pool is one pool's part of Stats.
	Pool = node.Pool
	// DiskIO is what the disks under a pool did in the last minute.
	DiskIO = node.DiskIO
	// Node is how a storage node presents itself.
	Node = node.Node
	// Stored is a volume, a snapshot or trash in a pool.
	Stored = node.Stored
	// Candidate is a volume or snapshot in a pool, whoever made it.
	Candidate = node.Candidate
	// Limits bound what is done to a volume in a second; 0 is no limit.
	Limits = node.Limits
	// Export is one attachment's grant as the node knows it.
	Export = node.Export
	// BackupPlace is where a backup lies in a node's store.
	BackupPlace = node.BackupPlace
	// BackupManifest is a backup as its store has it.
	BackupManifest = node.BackupManifest
	// Kind tells volumes, snapshots and trash apart.
	Kind = node.Kind
	// State is how far an operation is.
	State = node.State
)

// The kinds of stored things.
const (
	KindVolume   = node.Kind_VOLUME
	KindSnapshot = node.Kind_SNAPSHOT
	KindTrash    = node.Kind_TRASH
)

// The states of an operation.
const (
	Running = node.State_RUNNING
	Done    = node.State_DONE
	Failed  = node.State_FAILED
)

// Operation is work on a node.
type Operation struct {
	ID         string
	State      State
	BytesDone  int64        // of a copy, else 0
	BytesTotal int64        // of a copy, else 0
	Objects    int          // of a backup that is Done: how many it has in the store, else 0
	Failure    *fault.Fault // why it is Failed, else nil
}

// Err gives why the operation has failed, nil for one that has not.
func (o *Operation) Err() error {
	switch {
	case o.State != Failed:
		return nil
	case o.Failure == nil:
		return fault.New(fault.Internal, "the storage node failed and gave no reason")
	}
	return o.Failure
}

// BackupSource is what a backup is made of.
type BackupSource struct {
	Source          Source // a VOLUME or a SNAPSHOT
	VolumeID        string // the volume, or that of the snapshot
	StoredID        string // by which the node knows that volume; "": the same
	Bytes           int64
	Parent          string // id of the backup that an incremental one adds to; "" for a full one
	ParentContainer string
	Metadata        map[string]string // kept with the backup as it is
}

// Image is where an image's bytes are, and what they must be.
type Image struct {
	URL        string // of the bytes, http or https
	Token      Secret // for the image service; "" where none is needed
	DiskFormat string // in Glance's words
	Bytes      int64
	HashAlgo   string // os_hash_algo; "" if none
	HashValue  string // in hex
	Checksum   string // MD5 in hex; "" if none

	Encrypted bool  // the bytes are an encrypted volume's, and are copied as they are
	LUKS      *LUKS // how the volume is to be encrypted; nil for not
}

// LUKS is how a volume is encrypted by those who attach it.
type LUKS struct {
	Version    string // luks1 or luks2
	Cipher     string // in dm-crypt's words
	KeyBits    int
	Passphrase Secret
}

// Upload is an image that waits for a volume's bytes.
type Upload struct {
	ImageID    string
	URL        string // where its bytes go, http or https
	Token      Secret // for the image service; "" where none is needed
	DiskFormat string // in Glance's words
}

// Lender is where a volume is that comes from another pool, and what it was lent
// under.
type Lender struct {
	NodeUUID   string // of the node that has it; the called one's own for another of its pools
	Endpoint   string // https://address:port
	Generation int64  // of Lend's fence
	Token      Secret
}

// Grant says who may log in to a volume's target, and how.
type Grant struct {
	AttachmentID string
	Initiator    string // iSCSI qualified name (RFC 3720 §3.2.6)
	Username     string
	Password     Secret
	ReadOnly     bool

	Limits           Limits // of the volume
	VolumeGeneration int64  // of its row when the limits were read
}

// Connection is how to log in. The credentials are those in force for the
// initiator, which may be those of another attachment of the same host.
type Connection struct {
	Protocol string   // iscsi
	Portals  []string // address:port
	IQN      string
	LUN      int
	Username string
	Password Secret
	ReadOnly bool
}
