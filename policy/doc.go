// Package policy decides who may do what, as operators of OpenStack write it:
// the rules of oslo.policy, under the names Cinder gave them.
//
// A rule is a check, such as
//
//	role:admin or (role:member and project_id:%(project_id)s)
//
// whose left sides are about the caller (Credentials) and whose %(…)s are about
// the thing acted upon (Target). Cinder's defaults stand in one file for each
// resource; policy.yaml replaces any of them by name. Both are parsed, and
// every reference between rules resolved, once; a Check walks the tree and
// allocates nothing.
//
// The package fails closed. A rule that does not parse, refers to a rule that
// does not exist, or leads back to itself stops the process that loads it,
// where oslo.policy would log and deny, or under a "not" allow. A rule nobody
// knows allows nothing. A caller without a project (or user, or domain) never
// equals a thing without one. http: checks are refused: the answer to a request
// must not hang on a server elsewhere.
//
// The rules change while the process runs only where somebody calls Reload, and only
// to a file that New would take: what has become unreadable or wrong leaves those that
// held. A Check does no I/O.
//
// The package must never log credentials. An Enforcer may be used by many goroutines.
package policy
