// Package keystone validates tokens against a real Keystone.
//
// Unless token_cache_time is below zero, a token is asked about at most once in 300
// seconds: what Keystone said is kept under the token's SHA-256, never past the
// token's expiry, and a refusal for ten seconds. Many requests with one unknown token ask once. Where Keystone's
// jws token provider is in use and its public keys are at hand, a token with a
// bad signature or one that has expired is refused without asking; a good
// signature admits nobody, since only Keystone knows the roles and revocations.
//
// It must never log a token or a password, nor put one, or Keystone's own words
// (which may quote a token), into an error.
//
// Invariant: an Identity comes from Keystone's own answer, at most CacheTime
// old. When Keystone does not answer, known tokens keep working until they leave
// the cache, and unknown ones are fault.Unavailable, never Unauthorized: a client
// that is told 401 throws its token away.
package keystone
