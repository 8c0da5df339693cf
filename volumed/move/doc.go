// Package move brings a volume's bytes from one storage node to another: a
// Lender on the node that has the volume, a Puller on the node that is to have it.
//
// The bytes travel over HTTPS with mutual TLS, chunk by chunk, several at once;
// what reads as zeroes is named and not sent. A volume is lent for one move: to
// one node, by name in its certificate, for one generation of the volume, for
// some minutes that the control plane prolongs, and to whoever shows the move's
// token besides. A certificate alone reads nothing (ADR 17).
//
// The package must never log or keep a token, nor write to what is lent. The
// invariant: Pull returns nil only when every chunk has arrived with the digest
// that the lender read it with, and the digests of the whole, which both sides
// make of what they have seen, are the same; until then nobody may be given what
// it wrote.
package move
