package lio

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

// export is the work on one volume.
type export struct {
	fs      configfs
	want    target.Export
	store   store
	portals []string
}

// The paths of a volume's export.

func (x *export) iqn() string   { return "iscsi/" + x.want.IQN }
func (x *export) group() string { return x.iqn() + "/tpgt_1" }
func (x *export) unit() string  { return x.group() + "/lun/lun_0" }
func (x *export) acls() string  { return x.group() + "/acls" }

// set writes an attribute that does not have that value already.
func (x *export) set(path, value string) error {
	if now, err := x.fs.read(path); err == nil && now == value {
		return nil
	}
	return x.fs.write(path, value)
}

// apply makes the export as wanted. Grants that go, go first.
func (x *export) apply() error {
	for _, step := range []func() error{x.revoke, x.makeStore, x.makeGroup, x.grant, x.makePortals} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// makeGroup makes the target with its portal group and unit. Nobody can log in:
// authentication is on, initiators without a rule are nobody, and the names of
// targets are told only to initiators that have one.
func (x *export) makeGroup() error {
	for _, dir := range []string{"iscsi", x.iqn(), x.group()} {
		if err := x.fs.mkdir(dir); err != nil {
			return err
		}
	}
	for _, a := range [][2]string{
		{"authentication", "1"}, {"generate_node_acls", "0"}, {"cache_dynamic_acls", "0"},
		{"demo_mode_write_protect", "1"}, {"demo_mode_discovery", "0"},
	} {
		if err := x.set(x.group()+"/attrib/"+a[0], a[1]); err != nil {
			return err
		}
	}
	if err := x.fs.mkdir(x.unit()); err != nil {
		return err
	}
	if err := x.fs.link(x.store.path(), x.unit()+"/"+storeLink); err != nil {
		return err
	}
	return x.set(x.group()+"/enable", "1")
}

// makePortals listens where it should, and nowhere else.
func (x *export) makePortals() error {
	wanted := map[string]bool{}
	for _, p := range x.portals {
		wanted[p] = true
		if err := x.fs.mkdir(x.group() + "/np/" + p); err != nil {
			return cannotListen(p, err)
		}
	}
	now, err := x.fs.list(x.group() + "/np")
	if err != nil {
		return err
	}
	for _, p := range now {
		if wanted[p] {
			continue
		}
		if err := x.fs.rmdir(x.group() + "/np/" + p); err != nil {
			return err
		}
	}
	return nil
}

// cannotListen names the portal: for a port that is taken the kernel says EINVAL
// and no more.
func cannotListen(portal string, err error) error {
	if is(err, unix.EINVAL, unix.EADDRINUSE, unix.EADDRNOTAVAIL) {
		return fault.Wrap(err, fault.Unavailable, "the address %s for iSCSI cannot be had on this node; is it in use?", portal)
	}
	return err
}

// remove takes the export away, in the reverse of the order in which it was
// made. The backstores go last: what is left of an interruption still has the
// IQN for a name.
func (x *export) remove() error {
	if err := x.removeTarget(); err != nil {
		return err
	}
	return x.removeStores()
}

func (x *export) removeTarget() error {
	groups, err := x.fs.list(x.iqn())
	if err != nil {
		return err
	}
	if slices.Contains(groups, "tpgt_1") {
		// Ends the sessions and refuses logins from here on.
		if err := x.set(x.group()+"/enable", "0"); err != nil {
			return err
		}
		if err := x.removeGroup(); err != nil {
			return err
		}
	}
	return x.fs.rmdir(x.iqn())
}

func (x *export) removeGroup() error {
	if err := x.removeRules(func(string) bool { return false }); err != nil {
		return err
	}
	if err := x.removeEach(x.group()+"/lun", "lun_"); err != nil {
		return err
	}
	if err := x.removeEach(x.group()+"/np", ""); err != nil {
		return err
	}
	return x.fs.rmdir(x.group())
}

// removeEach removes the directories in dir whose names begin with prefix, and
// the links in them.
func (x *export) removeEach(dir, prefix string) error {
	names, err := x.fs.list(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if err := x.removeLinks(dir + "/" + name); err != nil {
			return err
		}
		if err := x.fs.rmdir(dir + "/" + name); err != nil {
			return err
		}
	}
	return nil
}

// removeLinks removes the links in a directory, whatever their names are.
func (x *export) removeLinks(dir string) error {
	names, err := x.fs.list(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if to, err := x.fs.follow(dir + "/" + name); err != nil || to == "" {
			continue // a directory of the kernel's own
		}
		if err := x.fs.unlink(dir + "/" + name); err != nil {
			return err
		}
	}
	return nil
}
