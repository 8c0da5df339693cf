// Package nova tells the compute service what has happened to the volumes of its
// servers, over gophercloud and as the service user.
//
// It must never act for a user, nor log a token. A cloud without a compute service
// is no failure: Unsupported says so. Every call may be repeated: to Nova an event
// is a hint to look again.
package nova
