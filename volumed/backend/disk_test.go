package backend

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDiskOf compares with what the kernel says of the disks of this machine,
// if it shows any.
func TestDiskOf(t *testing.T) {
	t.Parallel()
	if name, ok := DiskOf(unix.Mkdev(0, 999)); ok {
		t.Errorf("a device that is none: got %q", name)
	}
	disks, _ := filepath.Glob("/sys/block/*")
	for _, disk := range disks {
		for _, numbers := range []string{disk + "/dev", disk + "/*/dev"} {
			files, _ := filepath.Glob(numbers)
			for _, file := range files {
				checkDisk(t, file, filepath.Base(disk))
			}
		}
	}
}

func checkDisk(t *testing.T, file, want string) {
	t.Helper()
	var major, minor uint32
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := fmt.Sscanf(string(text), "%d:%d", &major, &minor); n != 2 {
		return
	}
	if got, ok := DiskOf(unix.Mkdev(major, minor)); !ok || got != want {
		t.Errorf("%s: got %q %v, want %q", file, got, ok, want)
	}
}
