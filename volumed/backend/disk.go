package backend

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// DiskOf gives the kernel's name (sda, dm-3, md0) of the whole disk with that
// device number, or on which the partition with that number lies, as it stands
// in /proc/diskstats. False when the number belongs to no block device, as with
// tmpfs, overlayfs and network file systems. See sysfs-block(5) of the kernel.
func DiskOf(device uint64) (string, bool) {
	link := fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(device), unix.Minor(device))
	path, err := filepath.EvalSymlinks(link)
	if err != nil {
		return "", false
	}
	if _, err := os.Stat(filepath.Join(path, "partition")); err == nil {
		path = filepath.Dir(path)
	}
	return filepath.Base(path), true
}
