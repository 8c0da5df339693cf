// Package postgres runs a private PostgreSQL server: for `clinker dev`, and for
// tests. It listens on a Unix socket only, in a directory that nobody but its
// user (and root) can enter, and so needs no password. Started as root it runs
// as an unprivileged user, since PostgreSQL refuses root.
//
// It ends with the process that started it, and touches no other server of the
// machine.
package postgres
