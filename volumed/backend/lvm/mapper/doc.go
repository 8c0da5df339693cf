// Package mapper asks the kernel's device mapper what it knows of a device,
// through ioctls on /dev/mapper/control (linux/dm-ioctl.h). An answer takes
// microseconds, where lvs or dmsetup take a process.
//
// It only reads: what is mapped, and how, is LVM's business.
package mapper
