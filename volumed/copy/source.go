package copy

import (
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/direct"
)

// openSource opens what is to be read once from beginning to end. A device is
// read around the page cache: a target in the kernel writes past it.
func openSource(path string) (*os.File, error) {
	open := os.Open
	if isDevice(path) {
		open = func(path string) (*os.File, error) { return direct.Open(path, os.O_RDONLY) }
	}
	f, err := open(path)
	if err == nil {
		_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_SEQUENTIAL)
	}
	return f, err
}

func isDevice(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeDevice != 0
}
