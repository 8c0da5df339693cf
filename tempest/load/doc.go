// Package load drives a Block Storage v3 endpoint, any Cinder's, and says how
// fast it answers: reads a second, and how long volumes take from request to
// the state that was asked for.
//
// It knows nothing of who answers, asks for nothing but what the API promises,
// and takes as little of the machine as it can, since client and server usually
// share one: a connection per worker, buffers used again, bodies searched rather
// than parsed. Every time it measures is kept; percentiles are exact.
//
// Whatever it made it deletes, also when it is interrupted. It touches nothing
// else.
package load
