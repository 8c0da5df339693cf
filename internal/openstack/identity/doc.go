// Package identity says who makes a request: the answer to a token, whichever
// service gave it out, and the interface behind which Keystone, the built-in
// identity and noauth stand alike.
//
// It never decides what somebody may do; that is policy's work. An Identity is
// built once and then only read: callers share it, slices included, between
// requests.
package identity
