// Package pki makes and loads the certificates by which Clinker's own
// processes know each other.
//
// One CA signs one certificate for each process. A certificate carries the
// names and addresses of its machine, and the role of its process as a URI,
// clinker://role/volumed, repeated as the subject's organizational unit for
// people who read it. A role is what a process may call: volumed answers api
// and scheduler, the scheduler answers volumed, and nobody answers a
// certificate of another CA, an expired one, or none.
//
// Invariants: a private key never exists on disk in a file others may read; a
// file is replaced whole or not at all; making what is there already changes
// nothing. A cloud that has a CA of its own needs only the loaders: any
// certificates with the role URI will do.
//
// The package must never log or return a private key, and never loosen the
// verification of a peer.
package pki
