// Package scheduler is the control plane's engine: it knows the storage nodes,
// works on the jobs that the API leaves behind, and sees to it that what is
// stored and exported is what the database says.
//
// Any number of schedulers run at once, on one database, and share nothing
// else. Jobs are River's, and go to whoever is free. What one of them is enough
// for (polling a node, a reconciler's chore) is taken by a conditional update
// of a time in the database; should two take it all the same, nothing is harmed.
//
// A scheduler keeps nothing in memory that would be missed: it may be killed
// at any instant. Its jobs are then made available again as soon as its
// heartbeat is old (heartbeat.go), and the reconciler finds what has no job.
//
// It must never hold a lock or a transaction while it waits for a node, never
// change a status but by compare-and-set, and never take a volume away from a
// node that the database does not know as deleted, or as being elsewhere, where it
// has been found.
package scheduler
