package api

import "runtime"

// A page of a thousand volumes is two megabytes of rows and one of text. Were all
// that are asked for at once also made at once, none would be sooner and all
// would take their memory: the processors are what they wait for. So the
// requests for long pages take turns, from the reading of the rows until the
// text is made. Sending it is no part of a turn: that takes as long as the client
// likes.

// longPage is from how many rows on a page is a long one.
const longPage = 200

// newTurns lets one long page more be made than there are processors: it may be waiting
// for the database.
func newTurns() chan struct{} { return make(chan struct{}, 1+runtime.GOMAXPROCS(0)) }

// takeTurn waits for its turn; the error is the context's.
func (c *Call) takeTurn(rows int) error {
	if rows < longPage || c.turn {
		return nil
	}
	select {
	case c.server.turns <- struct{}{}:
		c.turn = true
		return nil
	case <-c.Context().Done():
		return c.Context().Err()
	}
}

// endTurn may be repeated.
func (c *Call) endTurn() {
	if c.turn {
		c.turn = false
		<-c.server.turns
	}
}
