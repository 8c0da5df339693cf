/**
 * What a storage node offers to the control plane, and what the scheduler
 * offers to storage nodes. Carried over HTTP with mutual TLS.
 *
 * No method is void: a void method turns an exception that its caller does not
 * know into success. All sizes are bytes. Every method may be repeated.
 *
 * A pool is named as in Cinder's host form without the host: backend#pool.
 * The caller's deadline and request id travel as HTTP headers (headers.go).
 */
namespace go node

/** A refusal or failure; code is one of internal/fault's codes. */
exception Refusal {
  1: required string code
  2: required string message
}

/**
 * Makes a call safe to repeat and harmless when it comes late.
 * resource_id is the id of what is made, changed or taken away: the volume's,
 * the snapshot's, or the attachment's for grant and revoke. The generation is
 * the counter of that row; a node that has seen a higher one answers with the
 * code "stale" and changes nothing. A destroy or revoke also bars its own
 * generation from making the thing again in that pool.
 *
 * operation_id names one attempt, in at most 64 letters, digits, dots and
 * dashes: the same id again joins the attempt or tells its result; to try
 * again after FAILED, make a new id. Generations begin at 1.
 */
struct Fence {
  1: required string operation_id
  2: required string resource_id
  3: required i64 generation
}

enum State {
  RUNNING = 1
  DONE = 2
  FAILED = 3
}

/** Work on the node. A node forgets a finished one after an hour. */
struct Operation {
  1: required string id
  2: required State state
  3: required i64 bytes_done             // of a copy; 0 of what does not copy
  4: required i64 bytes_total
  5: optional string code                // of a FAILED one: a code as in Refusal
  6: optional string message
  7: optional i32 objects                // of a backup that is DONE: Cinder's object_count
}

/** What the disks under a pool did, smoothed over the last minute. */
struct DiskIO {
  1: required double busy_share          // 0 to 1: part of the time with I/O under way
  2: required double operations_per_second
  3: required double bytes_per_second
  4: required double mean_wait_ms        // from request to answer
}

struct Pool {
  1: required string backend             // section of the node's configuration
  2: required string name
  3: required i64 total_bytes
  4: required i64 free_bytes             // physical
  5: required i64 provisioned_bytes      // virtual size of all there is, trash included
  6: required i64 live_bytes             // virtual size of Clinker's volumes and snapshots, without trash
  7: required bool thin
  8: required double max_over_subscription_ratio
  9: required i32 reserved_percentage
  10: required string storage_protocol
  11: required map<string, string> capabilities
  12: required DiskIO io
  13: required string availability_zone
}

struct Node {
  1: required string uuid                // made on the node's first start
  2: required string host
  3: required string endpoint            // https://address:port
  4: required string version
  5: required list<string> backends
  6: required string availability_zone
  7: required string backup_driver       // posix or s3; "" when it keeps no backups
  8: required string backup_store        // the store's own id: nodes that share a store say the same; "" while it cannot be reached
  9: required string backup_container    // where backups go that name no container
}

struct Stats {
  1: required Node node
  2: required list<Pool> pools
}

enum Kind {
  VOLUME = 1
  SNAPSHOT = 2
  TRASH = 3
}

struct Stored {
  1: required Kind kind
  2: required string id                  // of the volume or snapshot; the name for trash
  3: required i64 bytes
  4: required i64 generation             // the highest seen, 0 if none
}

struct Source {
  1: required Kind kind                  // VOLUME or SNAPSHOT
  2: required string id
}

/** How a volume is encrypted by those who attach it. */
struct Luks {
  1: required string version             // luks1 or luks2
  2: required string cipher              // in dm-crypt's words
  3: required i32 key_bits
  4: required string passphrase          // never logged, nor kept longer than the operation
}

/** Where an image's bytes are, and what they must be. */
struct Image {
  1: required string url                 // of the bytes
  2: required string token               // for the image service; "" where none is needed; never logged
  3: required string disk_format         // in Glance's words
  4: required i64 bytes
  5: required string hash_algo           // os_hash_algo; "" if none
  6: required string hash_value          // in hex
  7: required string checksum            // MD5 in hex; "" if none
  8: required bool encrypted             // the bytes are an encrypted volume's, and are copied as they are
  9: optional Luks luks                  // the volume is to be encrypted like this
}

/** Where a backup lies in the node's store. */
struct BackupPlace {
  1: required string id                  // of the backup
  2: required string container           // never ""
}

/** What a backup is made of. */
struct BackupSource {
  1: required Source source              // VOLUME or SNAPSHOT
  2: required string volume_id           // the volume, or that of the snapshot
  3: required i64 bytes                  // of the volume or snapshot
  4: required string parent              // id of the backup that an incremental one adds to; "" for a full one
  5: required string parent_container
  6: required map<string, string> metadata // kept with the backup as it is, so that a lost database can be made again
  7: optional string stored_id           // by which the node knows the volume, if that is another id than volume_id
}

/** A backup as its store has it. */
struct BackupManifest {
  1: required BackupPlace place
  2: required string volume_id
  3: required i64 bytes                  // of the source
  4: required string parent              // "" for a full one
  5: required string parent_container
  6: required i32 objects                // of its own, without those of the ones it adds to
  7: required i64 stored_bytes           // of its own objects
  8: required i64 created_at             // seconds since 1970
  9: required map<string, string> metadata
  10: required list<string> needs        // ids of the backups whose objects it uses: they must stay as long as it does
}

/** An image in the image service that waits for the bytes of a volume. */
struct Upload {
  1: required string image_id            // a UUID; names the copy of a volume in use
  2: required string url                 // where its bytes go
  3: required string token               // for the image service; "" where none is needed; never logged
  4: required string disk_format         // in Glance's words
}

/** Where a volume is that comes from another pool, and what it was lent under. */
struct Lender {
  1: required string node_uuid           // of the node that has it; the called one's own for another of its pools
  2: required string endpoint            // https://address:port
  3: required i64 generation             // of lend's fence
  4: required string token               // shown to the lender; never logged
}

/** A volume or snapshot that lies in a pool, whoever made it. */
struct Candidate {
  1: required Kind kind                  // VOLUME or SNAPSHOT
  2: required string reference           // its name in the pool
  3: required i64 bytes
  4: required string origin              // reference of what it is a snapshot of; "" if none, or unknown
  5: required string refusal             // why it cannot be managed at the moment; "" when it can
  6: required string id                  // the id in the name, if that is one of Clinker's; else ""
}

/** One snapshot of a group: the generation is its row's, as in a Fence. */
struct Member {
  1: required string snapshot_id
  2: required i64 generation
  3: required string pool
  4: required string volume_id
}

/** What all hosts together may do to a volume in a second; 0 is no limit. */
struct Limits {
  1: required i64 read_bytes_sec
  2: required i64 write_bytes_sec
  3: required i64 read_iops_sec
  4: required i64 write_iops_sec
}

/**
 * Who may log in to a volume's target, and how, and what the volume is limited
 * to. volume_generation is that of the volume's row when the limits were read:
 * a node keeps those of the highest it has seen.
 */
struct Grant {
  1: required string attachment_id
  2: required string initiator
  3: required string username
  4: required string password
  5: required bool read_only
  6: required Limits limits
  7: required i64 volume_generation
}

/**
 * How to log in. The credentials are those in force for the initiator: an
 * initiator has one login on a volume, so that when another attachment of the
 * same host came first, they are that one's and not this grant's. read_only
 * is in force too: one grant to write lets the initiator write.
 */
struct Connection {
  1: required string protocol            // iscsi
  2: required list<string> portals       // address:port
  3: required string iqn
  4: required i32 lun
  5: required string username
  6: required string password
  7: required bool read_only
}

struct Export {
  1: required string volume_id
  2: required string attachment_id
  3: required string initiator
  4: required string username            // in force for the initiator
  5: required i64 generation
  6: required bool present               // the target has it, not only the journal
}

/**
 * The methods that give an Operation wait for its end as long as the caller's
 * deadline allows, at most 15 s, and then answer RUNNING; the work goes on.
 */
service Volumed {
  Stats stats() throws (1: Refusal refusal)

  /** blank: its first 32 MiB read as zeroes in every pool, as what is to get a LUKS header must. */
  Operation create(1: Fence fence, 2: string pool, 3: i64 bytes, 4: bool blank) throws (1: Refusal refusal)
  Operation extend(1: Fence fence, 2: string pool, 3: i64 bytes) throws (1: Refusal refusal)
  /** The volume is gone at once; a thick one's bytes are zeroed afterwards. "busy" while it is exported. */
  Operation destroy(1: Fence fence, 2: string pool) throws (1: Refusal refusal)
  /** The fence's resource is the snapshot. */
  Operation snapshot(1: Fence fence, 2: string pool, 3: string volume_id) throws (1: Refusal refusal)
  /**
   * Takes snapshots of several volumes, directly one after the other. The
   * fence's resource is the group snapshot. together: they are of one moment, or
   * it fails with "unsupported" and takes none.
   */
  Operation snapshot_group(1: Fence fence, 2: list<Member> members, 3: bool together) throws (1: Refusal refusal)
  /** The fence's resource is the snapshot. */
  Operation destroy_snapshot(1: Fence fence, 2: string pool) throws (1: Refusal refusal)
  /** Makes the fence's volume as a copy of a source in the same pool, bytes long. */
  Operation copy_from(1: Fence fence, 2: string pool, 3: Source source, 4: i64 bytes) throws (1: Refusal refusal)
  /**
   * Makes the fence's volume, bytes long, of an image: "invalid" when that is not
   * what it is said to be, or would open other files; "unavailable" when its bytes
   * cannot be had at the moment.
   */
  Operation copy_image(1: Fence fence, 2: string pool, 3: Image image, 4: i64 bytes) throws (1: Refusal refusal)
  /**
   * Makes the fence's volume, which is bytes long, hold an image and zeroes behind
   * it, and nothing of what it held. "busy" while it is exported. Failures as of
   * copy_image; the volume may then be partly the one and partly the other.
   */
  Operation reimage(1: Fence fence, 2: string pool, 3: Image image, 4: i64 bytes) throws (1: Refusal refusal)
  /**
   * Sends the fence's volume, bytes long, to an image. "conflict" when the image
   * does not wait for bytes, "unavailable" when the image service does not take
   * them at the moment, "invalid" when it will not.
   */
  Operation upload_image(1: Fence fence, 2: string pool, 3: Upload upload, 4: i64 bytes) throws (1: Refusal refusal)
  /**
   * Makes the fence's volume as its snapshot is, bytes long. The snapshot
   * stays. "busy" while the volume is exported.
   */
  Operation revert(1: Fence fence, 2: string pool, 3: string snapshot_id, 4: i64 bytes) throws (1: Refusal refusal)

  /**
   * Backs a volume or snapshot of the pool up into the node's store. The fence's
   * resource is the backup. Of an exported volume the node takes a snapshot and
   * backs that up: "busy" where the pool can take none of a volume in use.
   *
   * That snapshot bears the backup's id, and stored() shows it. It goes when the
   * backup is DONE or FAILED; in a thin pool the last good backup's stays, so
   * that the next one reads only what has changed. So one with the id of a backup
   * that is being made, or that there is and whose volume is in this pool, is
   * not to be taken away; any other is left over from a crash: destroy_snapshot
   * with a generation above the backup's takes it. An interrupted backup that is
   * asked for again, under any operation_id, uses the objects that it has stored.
   */
  Operation backup(1: Fence fence, 2: string pool, 3: BackupPlace place, 4: BackupSource source) throws (1: Refusal refusal)
  /**
   * Makes the fence's volume, bytes long, of a backup, every byte verified: "invalid"
   * when the backup is longer or damaged, "not_found" when there is none. overwrite:
   * it is there already, with those bytes, and is written over; "busy" while it is
   * exported; when that failed it is partly the one and partly the other.
   */
  Operation restore(1: Fence fence, 2: string pool, 3: BackupPlace place, 4: i64 bytes, 5: bool overwrite) throws (1: Refusal refusal)
  /**
   * Takes a backup out of the store, or what an interrupted one left there, and
   * ends one that is under way on this node. Done also when there is none. Whether
   * others need it, their manifests say; that is not looked at here.
   */
  Operation destroy_backup(1: Fence fence, 2: BackupPlace place) throws (1: Refusal refusal)
  /** What the store says of a backup: "not_found" when there is none that is whole, "invalid" when it is damaged. */
  BackupManifest backup_manifest(1: BackupPlace place) throws (1: Refusal refusal)
  /** The whole backups in a container, a page at a time in the order of their ids, beginning after an id ("": with the first). */
  list<BackupManifest> backup_manifests(1: string container, 2: string after) throws (1: Refusal refusal)

  /**
   * Lets another node read the fence's volume, bytes long, for some minutes;
   * calling it again prolongs that. reader is the name or address that the other
   * node's certificate must be valid for, "" when it is this node itself that
   * reads. "busy" while the volume is exported. The volume must not change
   * meanwhile: a newer generation that takes it away, or a grant, ends the loan.
   */
  bool lend(1: Fence fence, 2: string pool, 3: i64 bytes, 4: string reader, 5: string token) throws (1: Refusal refusal)
  /**
   * Makes the fence's volume, bytes long, of the one that another node lends, or
   * this one in another pool. "unavailable" when that gives nothing for some
   * minutes; "conflict" when what came is not what is there.
   */
  Operation move_in(1: Fence fence, 2: string pool, 3: Lender lender, 4: i64 bytes) throws (1: Refusal refusal)

  /** All that lies in the pool but trash: Clinker's own and strangers'. */
  list<Candidate> manageable(1: string pool) throws (1: Refusal refusal)
  /**
   * Gives what lies in the pool under a reference the name of the fence's
   * volume or snapshot, and makes it at least that many bytes long. A snapshot
   * must be one of volume_id. What it holds stays. When it fails it bears the
   * reference again.
   */
  Operation manage(1: Fence fence, 2: string pool, 3: Kind kind, 4: string reference, 5: i64 bytes, 6: string volume_id) throws (1: Refusal refusal)
  /**
   * Forgets a volume or snapshot, which stays in the pool with all it holds:
   * under the reference, or under its name when reference is "". Done also when
   * there is none. "busy" while it is exported.
   */
  Operation unmanage(1: Fence fence, 2: string pool, 3: Kind kind, 4: string reference) throws (1: Refusal refusal)

  /** Waits up to wait_ms for the operation to end; code "not_found" if unknown. */
  Operation operation(1: string id, 2: i32 wait_ms) throws (1: Refusal refusal)

  /**
   * Ends an operation that is under way: it FAILED with "cancelled" then, and leaves
   * what one that failed leaves. Waits for that end as the others do; one that ended
   * before tells how. "not_found" if unknown.
   */
  Operation cancel(1: string id) throws (1: Refusal refusal)

  /** The fence's resource is the attachment. */
  Connection grant(1: Fence fence, 2: string pool, 3: string volume_id, 4: Grant grant) throws (1: Refusal refusal)
  /** When it returns the initiator's session is cut. True also when there was none. */
  bool revoke(1: Fence fence, 2: string pool, 3: string volume_id) throws (1: Refusal refusal)
  /**
   * Changes what an exported volume is limited to, while it is in use. The fence's
   * resource is the volume. True also when it is not exported: there is nothing to
   * limit then.
   */
  bool limit(1: Fence fence, 2: string pool, 3: Limits limits) throws (1: Refusal refusal)

  list<Stored> stored(1: string pool) throws (1: Refusal refusal)
  list<Export> exports(1: string pool) throws (1: Refusal refusal)

  /** The levels of the process's logs, by prefix of the loggers' names. */
  map<string, string> log_levels(1: string prefix) throws (1: Refusal refusal)
  /** Sets the level (DEBUG, INFO, WARNING, ERROR) of the loggers that begin with prefix; "" is all. */
  bool set_log_levels(1: string prefix, 2: string level) throws (1: Refusal refusal)
}

service Registry {
  /** A node says that it is there: at its start and every report_interval. */
  bool announce(1: Node node) throws (1: Refusal refusal)
}
