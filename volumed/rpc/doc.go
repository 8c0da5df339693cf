// Package rpc carries calls between the control plane and the storage nodes:
// the IDL (volumed.thrift), the code that Debian's thrift-compiler makes of it
// (gen), the client and server over HTTP with mutual TLS, and the one table
// between faults and Thrift refusals.
//
// Both sides of a call are the same Go interface, Volumed or Registry: what a
// server implements is what a client is given, and a test puts a fake in the
// middle.
//
// The invariants: an error that a caller sees is always a fault, and its code
// is the one that the other side gave; no call lasts longer than its context,
// and one without a deadline gets one; nobody is served whose certificate the
// server's PeerCheck did not accept. A call that ended in Unavailable or
// Timeout may have been carried out; every method may be repeated.
package rpc
