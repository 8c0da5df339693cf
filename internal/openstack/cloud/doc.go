// Package cloud has what the clients of a cloud's other services (Keystone, Glance,
// Barbican, Nova) have in common: how they trust, and how the service user logs in.
package cloud
