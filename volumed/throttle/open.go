package throttle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// Options of a Controller.
type Options struct {
	MountPoint string // where to mount the controller if nobody has; made when missing

	// Mounts is the kernel's list of mounts; /proc/self/mounts.
	Mounts string
	// Mount mounts the controller; the kernel's mount(2).
	Mount func(path string) error
}

// Controller is the root group of the blkio controller. It may be used by many
// goroutines at once.
type Controller struct{ root string }

// Open finds the controller, or mounts it, and changes nothing else. It may be
// repeated. Unsupported, with the reason, when it cannot be had: the kernel lacks
// it, cgroup v2 uses it, this process may not mount, or sees only a part of it.
func Open(o Options) (*Controller, error) {
	if o.Mounts == "" {
		o.Mounts = "/proc/self/mounts"
	}
	if o.Mount == nil {
		o.Mount = mount
	}
	text, err := os.ReadFile(o.Mounts)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unsupported, "the list of mounts cannot be read: %v", err)
	}
	root := mounted(string(text))
	if root == "" {
		if root, err = own(o); err != nil {
			return nil, err
		}
	}
	c := &Controller{root: root}
	return c, c.usable()
}

// own mounts the controller in a place of our own.
func own(o Options) (string, error) {
	if err := os.MkdirAll(o.MountPoint, 0o700); err != nil {
		return "", fault.Wrap(err, fault.Unsupported, "there is no place to mount the blkio controller: %v", err)
	}
	err := o.Mount(o.MountPoint)
	switch {
	case err == nil:
		return o.MountPoint, nil
	case errors.Is(err, unix.EBUSY):
		return "", fault.Wrap(err, fault.Unsupported, "cgroup v2 has the io controller in use on this machine")
	}
	return "", fault.Wrap(err, fault.Unsupported, "the blkio controller of cgroup v1 cannot be mounted: %v", err)
}

func mount(path string) error {
	return unix.Mount("cgroup", path, "cgroup", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "blkio")
}

// usable tells whether this is the root group and takes rules. Only the root has
// a release_agent: what a container is shown of the hierarchy has not, and limits
// nothing but the container.
func (c *Controller) usable() error {
	if _, err := os.Stat(filepath.Join(c.root, "release_agent")); err != nil {
		return fault.Wrap(err, fault.Unsupported, "%s is not the root of the blkio controller", c.root)
	}
	for _, r := range (Limits{}).rules() {
		f, err := os.OpenFile(filepath.Join(c.root, r.file), os.O_WRONLY, 0)
		if err != nil {
			return fault.Wrap(err, fault.Unsupported, "the blkio controller takes no limits: %v", err)
		}
		f.Close()
	}
	return nil
}

// Set limits what is done to the block device at the path from now on, or lifts its
// limits: all four are as given. It may be repeated. NotFound when there is no such
// device.
func (c *Controller) Set(path string, l Limits) error {
	number, err := numberOf(path)
	if err != nil {
		return err
	}
	return c.set(number, l)
}

// set writes the rules for a device major:minor. Each takes effect by itself; after
// an error some have.
func (c *Controller) set(number string, l Limits) error {
	for _, r := range l.rules() {
		if r.value < 0 {
			return fault.New(fault.Invalid, "a limit of %d a second", r.value)
		}
		if err := c.write(r.file, fmt.Sprintf("%s %d", number, r.value)); err != nil {
			return err
		}
	}
	return nil
}

// write hands the kernel one rule, which it takes in one write.
func (c *Controller) write(file, text string) error {
	f, err := os.OpenFile(filepath.Join(c.root, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// numberOf gives the major:minor of the block device that a path leads to.
func numberOf(path string) (string, error) {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		return "", fault.Wrap(err, fault.NotFound, "there is no device %s", path)
	}
	if s.Mode&unix.S_IFMT != unix.S_IFBLK {
		return "", fault.New(fault.NotFound, "%s is no block device", path)
	}
	return fmt.Sprintf("%d:%d", unix.Major(s.Rdev), unix.Minor(s.Rdev)), nil
}
