// Package barbican is the key manager of an OpenStack cloud as a keys.Store, over
// gophercloud.
//
// A volume's key is the project's own secret, made with the caller's token, so
// that Nova can read it with the token of whoever attaches the volume. Keys of
// Clinker's own (keys.Service) are secrets of the service user's project. Neither
// may read the other's: Barbican's policy decides, and Clinker asks for no more.
//
// It must never log a token or a secret's bytes, nor follow where a server sends
// it.
package barbican
