// Package crash holds the promise that nothing gets stuck: while customers make,
// attach, extend, clone and delete volumes, the scheduler, the API and the
// storage nodes' volumed are killed (SIGKILL) at random instants and started
// again. Afterwards every volume comes to rest within a minute; database,
// backend directories and iSCSI targets agree; the counters recount to the same
// numbers; data is where it was; and everything can be deleted, with nothing left.
//
// TEMPEST_SEED repeats a run's choices (the processes' own timing stays free);
// TEMPEST_CHAOS, as 5m, makes it longer.
package crash
