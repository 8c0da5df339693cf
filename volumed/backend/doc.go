// Package backend is how a storage node keeps volumes: the interface, and in
// the packages below it lvm (logical volumes) and file (sparse files).
//
// A backend knows names and bytes. It knows nothing of attachments, tenants,
// generations or the control plane. All that it must remember it reads back
// from the storage itself, so that it can be killed at any instant: what List
// says is the truth.
//
// The invariant: bytes of a deleted volume can never be read through a volume
// made later. Thin pools and files hand out zeroes by themselves; a thick
// logical volume is renamed at once, zeroed in the background, and only then
// given back.
package backend
