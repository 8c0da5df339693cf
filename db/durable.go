package db

import "github.com/jackc/pgx/v5/pgxpool"

// PostgreSQL holds a transaction's locks until its commit is on the disk, unless
// the commit does not wait for that. Two kinds need not wait, for what a crash of
// the database takes away is always the last moments whole: whatever was
// committed later is gone too.
//
//   - What a job ends with. If it is forgotten then so is that the job is done:
//     it runs again, and its node answers as it did. See Lazily.
//   - New rows. The counters of their project's quota, which all its requests
//     want, are free as soon as the commit is made; the request waits for the disk
//     behind it. See ReleaseEarly.
//
// All else waits: a row that is forgotten to have moved would have an older
// generation than the one that its node has heard of.

// flushSQL writes to the journal and waits until that is on the disk, and so all
// that was committed before.
const flushSQL = "SELECT pg_logical_emit_message(true, 'clinker', '')"

const synchronousCommit = "synchronous_commit"

// LazyCommits has statements outside of transactions not wait for the disk: the
// scheduler's, and River's. Each is repeated when its effect is missing.
func LazyCommits(c *pgxpool.Config) { c.ConnConfig.RuntimeParams[synchronousCommit] = "off" }

// ending is how a transaction's commit is with the disk.
type ending int

const (
	durable      ending = iota // it is on the disk before the locks are free
	lazy                       // see Lazily
	releaseEarly               // see ReleaseEarly
)

// Lazily has the commit not wait for the disk. Only for the end of a job, which
// would be run again.
func (t *Tx) Lazily() { t.ending = lazy }

// ReleaseEarly frees the locks before the commit is on the disk, and waits for
// that then. Only for transactions that make rows and move none. Should the
// database crash in between, nobody was told of the row; what a node has made of
// it already is an orphan that the reconciler takes away.
func (t *Tx) ReleaseEarly() {
	if !t.offByDefault { // or there would be nothing to wait with
		t.ending = releaseEarly
	}
}

// end queues the commit.
func (t *Tx) end() {
	off := t.ending != durable
	if off != t.offByDefault {
		t.begin()
		t.waiting.Queue("SET LOCAL " + synchronousCommit + " = " + map[bool]string{true: "off", false: "on"}[off])
	}
	if t.sent { // else all statements go at once, and are a transaction by that
		t.waiting.Queue("commit").Exec(committed)
	}
	if t.ending == releaseEarly {
		t.waiting.Queue(flushSQL)
	}
}
