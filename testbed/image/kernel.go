package image

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// newestKernel returns the version of the newest cloud kernel in boot. The
// kernel that runs on this machine does not matter.
func newestKernel(boot string) (string, error) {
	found, err := filepath.Glob(filepath.Join(boot, "vmlinuz-*-cloud-amd64"))
	if err != nil || len(found) == 0 {
		return "", missing("no kernel %s/vmlinuz-*-cloud-amd64", boot)
	}
	version := func(path string) string {
		return strings.TrimPrefix(filepath.Base(path), "vmlinuz-")
	}
	newest := slices.MaxFunc(found, func(a, b string) int {
		return slices.Compare(numbers(version(a)), numbers(version(b)))
	})
	f, err := os.Open(newest)
	if err != nil {
		return "", fmt.Errorf("the testbed must be able to read its kernel: %w", err)
	}
	return version(newest), f.Close()
}

var digits = regexp.MustCompile(`\d+`)

// numbers are what orders kernel versions: 6.1.0-9 is older than 6.1.0-56.
func numbers(version string) []int {
	var all []int
	for _, s := range digits.FindAllString(version, -1) {
		n, _ := strconv.Atoi(s)
		all = append(all, n)
	}
	return all
}

// missing is the error for something that install.sh would have put there.
func missing(format string, args ...any) error {
	return fmt.Errorf(format+"; testbed/install.sh installs what the testbed needs", args...)
}
