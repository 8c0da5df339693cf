// Package image makes what a testbed guest boots: Debian's cloud kernel and an
// initramfs of programs, libraries and kernel modules that are installed on
// this machine, with a script as /init and the testbed's agent.
//
// It needs no privilege and no network and writes only below the cache folder.
// Images are named by the hash of all that goes into them, so that an image
// that is there is never stale and never written to again.
package image
