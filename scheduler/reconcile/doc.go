// Package reconcile compares what should be with what is, and mends what a
// crash left half done: one file per chore, or per comparison of what a pool's node
// has with the rows.
//
// What it does, it does as jobs and requests do: by compare-and-set on the
// generation that it has read, and under fences. A request that goes on at the
// same moment is never broken, only one of the two wins. It never takes away
// what the database does not know: that may be another cloud's. And it never
// mends counters: where one is wrong there is a mistake to be found, and it
// raises an alarm.
//
// Many schedulers share the chores: each is taken by one of them when its time
// has come (db.TakeChore). The order in which chores run does not matter.
package reconcile
