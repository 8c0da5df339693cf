// Package targettest is the conformance suite of target.Target: what every
// implementation must do, seen from an initiator's side.
//
// The suite knows nothing of how a target is made. What differs from one to the
// next is told to it in a Suite: how to open one, which initiator to log in
// with, how to break one halfway. Two initiators are here: qemu's, which needs no
// privilege and no kernel module, and open-iscsi, for the testbed.
//
// It must never export anything but devices that it made itself.
package targettest
