// Package journal is a storage node's memory: a small local database (bbolt)
// of the little that cannot be read back from the storage or the target.
//
//   - Who the node is: a UUID made on its first start.
//   - Fences: the highest generation accepted for each resource, so that a call
//     that comes late, from a worker thought dead, changes nothing.
//   - Exports: who may log in to which volume, so that after a reboot the
//     disks of virtual machines are back while the control plane is still down.
//   - Results of finished operations, for an hour, so that a caller that lost
//     its connection learns how its operation ended.
//
// The invariants: when a fence is accepted, it is on disk before the work that
// it allows begins, and from then on no older generation is accepted, whatever
// is killed when. A grant is on disk before an initiator can log in with it; a
// revoked one is off the disk before its session is cut. Results and the
// removal of what is no longer needed may be lost in a crash: a result that is
// lost has its operation repeated, which does no harm.
//
// It must never be shared between two processes (the file is locked), and it
// holds passwords: its mode is 0600, and nothing of it is logged.
//
// A commit costs two fdatasyncs. Changes that are asked for while one is under
// way go into the next together, and those that nobody waits for (results)
// ride along, so that a create costs the node one commit at most.
package journal
