// Package lvm keeps volumes as logical volumes of one volume group: thick ones,
// or thin ones in a thin pool of it.
//
// LVM's own programs do all changes, and they take far longer than anything
// else here; what counts is how many are started. Each operation starts
// as few as it can: a thick or thin create one, an extend one, a delete
// one. Questions are asked of the kernel (package mapper) or of a report
// (lvs) that is kept for some seconds and dropped by our own changes.
//
// # Old bytes
//
// A thick volume gets extents as they are. That a tenant never reads another's
// bytes therefore hangs on wiping before giving back: a deleted volume is
// renamed to _trash-…, overwritten by Purge, and only then removed. The store of
// a snapshot holds its volume's bytes, so it is split off and wiped likewise.
// Extents that somebody else used before the volume group was given to us, or
// that somebody frees in it by hand, are not known to be blank: use a volume
// group for Clinker alone, of disks that were wiped.
//
// A thin pool hands out zeroes by itself, if it is told to: Open refuses one that
// is not.
//
// # What is being made
//
// The target of a copy, and the snapshot that holds a source still meanwhile,
// are trash until the copy is complete: they bear trash's names, and the last
// step gives the volume its own. A crash at any point leaves nothing but trash.
//
// # Two pools of one volume group
//
// A volume group has each name once, and a volume that moves between two pools of it is
// in both for a while. The one that has come then stands aside under a longer name
// (volume-<id>.moved), and keeps it: a second rename would be one more thing to be
// caught in the middle of, while the volume may be attached already.
package lvm
