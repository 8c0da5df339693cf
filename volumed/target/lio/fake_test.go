package lio

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// fake is LIO as far as the order of operations matters: what the kernel
// refuses in the wrong order, it refuses too.
type fake struct {
	dirs   map[string]bool
	values map[string]string
	links  map[string]string

	log    []string
	budget int    // operations until everything fails; negative for no end
	after  func() // called after each operation
}

func newFake() *fake {
	return &fake{dirs: map[string]bool{".": true, "core": true}, values: map[string]string{}, links: map[string]string{}, budget: -1}
}

// attributes gives what the kernel puts into a new directory.
func attributes(dir string) map[string]string {
	parts := strings.Split(dir, "/")
	switch {
	case parts[0] == "core" && len(parts) == 3:
		return map[string]string{"control": "", "udev_path": "", "wwn/vpd_unit_serial": "T10 VPD Unit Serial Number: ", "enable": "0",
			"attrib/emulate_tpu": "0", "attrib/emulate_3pc": "1", "info": "Status: DEACTIVATED"}
	case len(parts) == 3 && parts[2] == "tpgt_1":
		return map[string]string{"enable": "0", "attrib/authentication": "1", "attrib/generate_node_acls": "0",
			"attrib/cache_dynamic_acls": "0", "attrib/demo_mode_write_protect": "1", "attrib/demo_mode_discovery": "1",
			"lun/": "", "acls/": "", "np/": ""}
	case len(parts) == 5 && parts[3] == "acls":
		return map[string]string{"auth/userid": "", "auth/password": ""}
	case len(parts) == 6 && parts[3] == "acls":
		return map[string]string{"write_protect": "0"}
	}
	return nil
}

func (f *fake) op(format string, args ...any) error {
	if f.budget == 0 {
		return unix.EIO
	}
	f.budget--
	f.log = append(f.log, fmt.Sprintf(format, args...))
	if f.after != nil {
		defer f.after()
	}
	return nil
}

func (f *fake) list(dir string) ([]string, error) {
	var names []string
	for _, all := range [][]string{slices.Collect(maps.Keys(f.dirs)), slices.Collect(maps.Keys(f.links))} {
		for _, p := range all {
			if path.Dir(p) == dir {
				names = append(names, path.Base(p))
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

func (f *fake) read(p string) (string, error) { return f.values[p], nil }

func (f *fake) mkdir(p string) error {
	if f.dirs[p] {
		return nil
	}
	if !f.dirs[path.Dir(p)] {
		return fs.ErrNotExist
	}
	if err := f.op("mkdir %s", p); err != nil {
		return err
	}
	f.dirs[p] = true
	for name, value := range attributes(p) {
		if dir, ok := strings.CutSuffix(name, "/"); ok {
			f.dirs[p+"/"+dir] = true
		} else {
			f.values[p+"/"+name] = value
		}
	}
	return nil
}

func (f *fake) rmdir(p string) error {
	if !f.dirs[p] {
		return nil
	}
	own := attributes(p)
	for d := range f.dirs {
		if _, mine := own[strings.TrimPrefix(d, p+"/")+"/"]; path.Dir(d) == p && !mine {
			return unix.ENOTEMPTY
		}
		if rest, under := strings.CutPrefix(d, p+"/"); under && strings.Contains(rest, "/") {
			return unix.ENOTEMPTY
		}
	}
	for l, to := range f.links {
		if to == p || path.Dir(l) == p {
			return unix.EBUSY
		}
	}
	if err := f.op("rmdir %s", p); err != nil {
		return err
	}
	gone := func(other string) bool { return other == p || strings.HasPrefix(other, p+"/") }
	maps.DeleteFunc(f.dirs, func(k string, _ bool) bool { return gone(k) })
	maps.DeleteFunc(f.values, func(k string, _ string) bool { return gone(k) })
	return nil
}

func (f *fake) link(to, p string) error {
	if f.links[p] == to {
		return nil
	}
	if !f.dirs[to] || !f.dirs[path.Dir(p)] {
		return fs.ErrNotExist
	}
	if strings.HasPrefix(to, "core/") && f.values[to+"/enable"] != "1" {
		return unix.ENODEV
	}
	if err := f.op("link %s -> %s", p, to); err != nil {
		return err
	}
	f.links[p] = to
	if _, mapped := f.values[path.Dir(p)+"/write_protect"]; mapped {
		f.values[path.Dir(p)+"/write_protect"] = "0"
	}
	return nil
}

func (f *fake) follow(p string) (string, error) {
	if f.dirs[p] {
		return "", unix.EINVAL
	}
	return f.links[p], nil
}

func (f *fake) unlink(p string) error {
	if _, ok := f.links[p]; !ok {
		return nil
	}
	if err := f.op("unlink %s", p); err != nil {
		return err
	}
	delete(f.links, p)
	return nil
}

// held tells whether another backstore has the device.
func (f *fake) held(store string) bool {
	for p, device := range f.values {
		if other, ok := strings.CutSuffix(p, "/udev_path"); ok && other != store && device == f.values[store+"/udev_path"] && f.values[other+"/enable"] == "1" {
			return true
		}
	}
	return false
}

func (f *fake) write(p, value string) error {
	if _, ok := f.values[p]; !ok {
		return fs.ErrNotExist
	}
	store := path.Dir(p)
	switch {
	case strings.HasPrefix(p, "core/") && path.Base(p) == "enable" && f.held(store):
		return unix.EBUSY
	case strings.HasPrefix(p, "core/") && path.Base(p) == "enable" && f.values[store+"/control"] == "":
		return unix.EINVAL
	case path.Base(p) == "vpd_unit_serial":
		if slices.Contains(slices.Collect(maps.Values(f.links)), path.Dir(store)) {
			return unix.EINVAL
		}
		value = "T10 VPD Unit Serial Number: " + value
	case path.Base(p) == "write_protect" && f.links[store+"/unit"] == "":
		return unix.ENODEV
	}
	shown := value
	if path.Base(p) == "password" {
		shown = "…"
	}
	if err := f.op("write %s %s", p, shown); err != nil {
		return err
	}
	f.values[p] = value
	if _, size, found := strings.Cut(value, "fd_dev_size="); found && path.Base(p) == "control" {
		size, _, _ = strings.Cut(size, ",")
		f.values[store+"/info"] = "  TCM FILEIO ID: 0        File: /x  Size: " + size + "  Mode: Buffered-WCE"
	}
	return nil
}
