// Package throttle limits what hosts may do to a volume's device: bytes and
// operations a second, reads and writes apart.
//
// The limit is the kernel's (blk-throttle), put on the root group of the cgroup v1
// blkio controller (Documentation/admin-guide/cgroup-v1/blkio-controller.rst). That
// is the group of kernel threads, and LIO submits its I/O from them; cgroup v2 lets
// no rule be put there. The rule names the device by its number, and every logical
// volume has one of its own. What this process reads and writes on that device is
// limited as well, so a rule is there only while the volume is exported.
//
// The kernel forgets a device's rules when the device goes, and all rules at a
// reboot: whoever wants a limit sets it anew then. Nothing here remembers.
//
// It must never limit a device that it was not asked to, nor take the controller
// away from somebody who uses it: where the controller cannot be had, Open says why.
package throttle
