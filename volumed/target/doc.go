// Package target is how a storage node lets machines reach its volumes: the
// interface, and in the packages below it lio (the kernel's, written through
// configfs) and tgt (the user-space daemon).
//
// A target is given the whole wanted state of one volume's export and makes it
// so. It keeps nothing itself: after a reboot, or when its daemon died, the
// node applies every export again from its journal, and none of them
// interrupts another.
//
// The invariants: one iSCSI target per volume, and its IQN and LUN are never
// used for another volume; nobody logs in without a grant's username and
// password; when Apply or Remove has returned, an initiator whose grant is gone
// has no session left.
package target
