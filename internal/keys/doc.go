// Package keys is how the control plane has keys of encrypted volumes made, read
// and deleted: a Store is a key manager, Local the one for those without any.
//
// A key is made in two steps: Reserve gives its id, Fill its bytes. Between the
// two the caller writes the id down, so that no key ever exists that the database
// does not know of, whatever is killed at whatever instant.
//
// The package must never put a key into a log, an error or an argument. Local
// keeps keys in a table only as sealed by a key file, which is not in the
// database: whoever gets one of the two has nothing.
package keys
