// Package jobs is the work that a request leaves behind: one file per kind of
// job, each a few steps that bring a volume from a moving status to a resting
// one.
//
// A job may run twice, at the same time too, and may be killed between any two
// instructions. It therefore never remembers what it did: every step begins
// with the row as it is, asks the node for an operation whose id follows from
// the row's id and generation, and ends with a compare-and-set on that
// generation. Whoever comes second joins the operation, or meets Conflict,
// reads the row again and finds nothing left to do. To try a failed operation
// again, the generation is raised: the history says why, and the node refuses
// whatever was asked under the old one.
//
// A job's run is short. Long work goes on at the node, and the job looks again
// a second later. The invariant: a volume in a moving status has a job, or the
// reconciler gives it one; and every job ends in a resting status, if only in
// error with a message to the user.
package jobs
