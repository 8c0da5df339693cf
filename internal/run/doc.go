// Package run starts external programs: LVM, tgtadm, iscsiadm, qemu-img.
//
// A program gets an argument list, never a shell line; an environment of its
// own, so that nothing of ours (passwords, proxies, locale) leaks in; a
// deadline, after which its process group is told to end and, five seconds
// later, killed; and a bound on the output kept. Secrets go through Input, since arguments can be read by every
// user of the machine in /proc.
package run
