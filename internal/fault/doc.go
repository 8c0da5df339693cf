// Package fault is how every part of Clinker says that something went wrong.
//
// An error that a caller may act upon is a *Fault: a Code that machines switch
// on, a Message for the person who made the request, and the Cause for the log.
// The message may be shown to a tenant and therefore never holds a secret, a
// host name or a path of a node; the cause is never shown.
//
// An error that is no Fault counts as Internal: its text stays in the log.
//
// The codes have one table to HTTP (api/fault.go) and one to Thrift
// (volumed/rpc/fault.go); nothing else translates them.
package fault
