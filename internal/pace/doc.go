// Package pace keeps copies within a budget of bytes a second, which all copies
// of a node share (Cinder's volume_copy_bps_limit).
//
// A Budget gives each Copy the same share, however many goroutines it copies with
// and however large its pieces are: a copy waits in line once, for a small part of
// what it wants, and then stands at the end of the line again. Work that has a
// Copy in its context spends from it; work that has none is not bounded.
//
// It must never let a copy that moves nothing keep others waiting. The invariant:
// in any stretch of time at most the budget's bytes pass, and a tenth of a second's
// more, and a turn of each copy's.
package pace
