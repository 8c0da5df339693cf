// Package builtin is a small Keystone v3 of our own, for clinker dev and for a
// person with one machine: password and token logins scoped to a project,
// validation, the catalog, and read-only lists of projects, users, domains,
// roles, services and endpoints. The openstack CLI and gophercloud take it for a
// Keystone.
//
// Its directory holds three files, each readable by the owner only:
//
//	users.yaml              projects, users, bcrypt hashes, roles; edited by hand, read again when it changes
//	token-key.pem           the P-256 key that signs tokens; removing it makes every token void
//	initial-passwords.yaml  what Bootstrap made up, for the openrc; may be removed
//
// A token is a JWT (ES256) with the claims of Keystone's own jws provider, so
// validating one is a signature check and no question to anybody. Roles are not
// in it: they come from users.yaml at the moment of use.
//
// It must never write users.yaml once that exists, tell an unknown user from a
// wrong password (by words or by time), or put a password or a token in a log
// or an error.
//
// Invariant: a token is good if and only if our key signed it, it has not
// expired, this process has not revoked it, and the user and the project are
// still in the file, enabled, with at least one role, and the password hash is the
// one it was given for; tokens of older programs do not say which that was, and are
// good without. Revocation is kept in memory: it ends with the process, and other
// processes do not see it.
package builtin
