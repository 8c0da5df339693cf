// Package placement chooses the pool for a volume: a snapshot of the pools and
// a request go in, a ranked choice with reasons comes out.
//
// It is arithmetic only. It never reads a clock, a file, a database or the
// network, and it keeps nothing between two calls, so that a decision can be
// repeated, logged and tested with the values it was made from.
//
// Filters refuse pools; each refusal has a reason. Weighers order what is
// left: every weigher's figures are brought to 0..1 (least to greatest, as
// Cinder does), multiplied by the weigher's multiplier and added up; the
// greatest sum is the first choice.
//
// The invariants: a ranked pool passes every filter; a pool that is refused
// never influences the order of the others; the order of the input does not
// matter; every pool is either ranked or refused by exactly one filter.
//
// A new filter or weigher is one new file: a function, and an init that puts it
// into the table under its configuration name.
package placement
