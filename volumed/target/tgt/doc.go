// Package tgt exports volumes through tgtd, the user-space iSCSI target: for
// machines whose kernel has no LIO, above all for development and tests.
//
// It speaks tgtd's own management protocol over its unix socket, as tgtadm
// does, instead of starting tgtadm: tgtadm takes passwords as arguments, which
// everybody on the machine can read in /proc, and costs a process per step.
//
// What tgtd cannot do, and what is done about it:
//
//   - Accounts belong to a target, not to an initiator: of two initiators granted
//     one volume, either may log in with the other's username and password, if it
//     knows them. Every account is bound to one target only, and made unguessable
//     by the caller. With LIO the secret is the initiator's own.
//   - A logical unit is read-only for all or for none: an export with both kinds of
//     grants is Unsupported.
//   - A target without accounts asks for no password, and a gap in a target's list
//     of accounts hides the accounts behind it and crashes the daemon when somebody
//     lists targets (1.0.85, 1.0.97). An account whose password nobody knows, the
//     anchor, is therefore the first of every target, and accounts are unbound from
//     the end. See accounts.go.
//   - A logical unit does not notice that its device grew, and has to be made
//     again. Meanwhile the target is offline, in which state tgtd drops commands
//     without an answer, so that none fails; a session that sent something in those
//     milliseconds is then disconnected, whereupon its initiator logs in again by
//     itself and repeats what was not answered. An idle session notices nothing. A
//     busy open-iscsi waits about two seconds. A login in those milliseconds is
//     answered "target error", which initiators repeat. Reservations are lost.
//   - What tgtd tells of its targets holds text that initiators choose. See state.go.
//   - A login that passed CHAP and stopped just before its end cannot be seen. If its
//     grant is taken away while the target lives on for other grants, it can still
//     be finished; List cuts the sessions of initiators without grant whenever it
//     finds one. It cannot get into an export made later: target ids differ.
//
// The package must never run a program with a secret among its arguments, and
// never touch a target whose name does not begin with its prefix.
package tgt
