// Package api answers the OpenStack Block Storage v3 API, microversions 3.0 to
// 3.71, as Cinder does.
//
// Every operation is declared once, as a Route in its resource's file: method,
// path or action, first microversion, status, policy rules, handler. The name
// of a route is also the name of its JSON schemas under schema/. What is around
// a handler (identity, microversion, body, schema, policy, faults, request ids)
// is done here, for all alike.
//
// A handler reads the database, or writes it in one transaction, and returns
// what to answer. It never waits for a storage node, with one exception:
// attachments, whose answers must carry how to connect.
//
// The package keeps no state between requests; any number of processes may
// serve the same database.
//
// echo is imported by server.go and nothing else, so that another router can
// take its place in an afternoon.
package api
