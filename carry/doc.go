// Package carry brings a volume to a machine that Nova does not serve, as a
// block device, and takes it away again: `clinker attach`, `detach`, `watch`.
// The machine needs open-iscsi and the credentials of an ordinary user of the cloud.
//
// It speaks to the block storage service only through its REST API, and to the
// kernel only through iscsiadm, cryptsetup and sysfs. It never mounts a
// device, and writes to none but the LUKS header of an encrypted volume that
// nothing was ever written to; it never logs in to a target that was not granted to
// this machine, and never takes away a device that something holds.
//
// The invariant: before anything is asked of the API or the kernel, a state file
// of the volume says so, and it goes last of all. Whatever is killed at
// whatever instant, the same command given again finishes the work, and detach
// undoes what attach left half done. State files hold neither password nor key: it
// is read from the API again when it is needed, and kept only in open-iscsi's own
// node record (readable by root alone) while the volume is attached, because
// iscsid needs it there to log in again after a network outage.
package carry
