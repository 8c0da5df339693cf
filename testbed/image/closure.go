package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"clinker/internal/run"
)

// A line of ldd: "libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)" or, for
// the loader, "/lib64/ld-linux-x86-64.so.2 (0x…)".
var lddLine = regexp.MustCompile(`(?m)^\s+(?:\S+ => )?(/\S+) \(0x`)

// dependencies returns the paths of the shared libraries that programs need.
func dependencies(ctx context.Context, programs []string) ([]string, error) {
	output, err := run.Output(ctx, append([]string{"ldd"}, programs...)...)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(output), "=> not found") {
		return nil, fmt.Errorf("ldd: a library is missing:\n%s", output)
	}
	var paths []string
	for _, match := range lddLine.FindAllSubmatch(output, -1) {
		paths = append(paths, string(match[1]))
	}
	return paths, nil
}

// modules copies the modules and those they need, and indexes them for modprobe.
func (t tree) modules(ctx context.Context, version string) error {
	args := append([]string{"modprobe", "-C", "/dev/null", "-S", version, "-D", "-a"}, modules...)
	output, err := run.Output(ctx, args...)
	if err != nil {
		return missing("modules of kernel %s: %v", version, err)
	}
	for line := range strings.Lines(string(output)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "insmod" { // "builtin NAME" otherwise
			continue
		}
		if err := t.copy(words[1], words[1], 0o644); err != nil {
			return err
		}
	}
	// depmod reads these to know which modules the kernel has built in.
	for _, name := range []string{"modules.builtin", "modules.builtin.modinfo", "modules.order"} {
		path := filepath.Join("/lib/modules", version, name)
		if _, err := os.Stat(path); err == nil {
			if err := t.copy(path, path, 0o644); err != nil {
				return err
			}
		}
	}
	_, err = run.Output(ctx, "depmod", "-b", string(t), version)
	return err
}
