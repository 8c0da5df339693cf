// Package diskio measures what the disks of a storage node have to do: how much
// of the time they are busy, operations and bytes a second, and how long a
// request waits, over the last minute.
//
// The figures come from the kernel's own counters (Documentation/admin-guide/
// iostats.rst): /proc/diskstats, and for a device that is not listed there
// (the hidden paths of a multipath device) its own file, /sys/class/block/NAME/stat.
// Reading them costs the disks nothing; this package never opens a device.
//
// The minute is a true window, not a decaying average: counters are exact
// whenever they are read, so that the mean over the window does not depend on how
// regularly the sampler got to run, and a burst is forgotten entirely after a
// minute instead of fading.
//
// The invariant: every figure is finite and not negative, whatever the kernel
// says: counters that wrap are continued, those that start again (a device
// that was taken away and made anew) lose one interval and no more.
package diskio
