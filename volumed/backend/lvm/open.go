package lvm

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/internal/run"
	"clinker/volumed/backend"
	"clinker/volumed/backend/lvm/mapper"
)

// gib is what volumes are a multiple of.
const gib = 1 << 30

// names that LVM takes for volume groups and pools (lvm(8), "Valid names").
var validName = regexp.MustCompile(`^[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$`)

// Open looks at the volume group and activates the volumes in it that are not
// active, as none is after a boot. What is not as it must be gives Invalid or
// Unavailable with a sentence that says how to mend it. One process at a time may
// have a pool open.
func Open(ctx context.Context, options Options) (*Backend, error) {
	if !validName.MatchString(options.VolumeGroup) {
		return nil, fault.New(fault.Invalid, "%q is not the name of a volume group", options.VolumeGroup)
	}
	if options.ThinPool != "" && !validName.MatchString(options.ThinPool) {
		return nil, fault.New(fault.Invalid, "%q is not the name of a thin pool", options.ThinPool)
	}
	if err := mapper.Present(); err != nil {
		return nil, err
	}
	g := newGroup(options)
	whole, err := g.readGroup(ctx)
	if err != nil {
		return nil, noGroup(err, options.VolumeGroup)
	}
	if g.extentBytes = whole.extentBytes; gib%g.extentBytes != 0 {
		return nil, fault.New(fault.Invalid, "volume group %s has extents of %d KiB, of which no number makes a GiB: its volumes would be longer than they are said to be; "+
			"mend it: vgchange -s 4m %s", g.name, g.extentBytes>>10, g.name)
	}
	if options.Owner != "" {
		if err := g.claim(ctx, whole.tags, options.Owner); err != nil {
			return nil, err
		}
	}
	g.disks.keep(disksOf(whole.physical), 0)
	r, err := g.reports.get(ctx)
	if err != nil {
		return nil, err
	}
	b := &Backend{group: g, pool: &thick{g}}
	if n := options.overlooked(r); n > 0 {
		slog.WarnContext(ctx, "lvm_type = auto makes thick volumes here, and those in a thin pool of the volume group are not served: "+
			"if they are the ones to keep, set lvm_type = thin, and lvm_thin_pool", "group", g.name, "lvm_thin_pool", options.ThinPool, "not_served", n)
	}
	if options.thin(r) {
		if b.pool, err = openPool(ctx, g, r, options.ThinPool); err != nil {
			return nil, err
		}
	}
	b.learnAsides(r)
	return b, b.activateAll(ctx, r)
}

// learnAsides looks through this report and all to come.
func (b *Backend) learnAsides(r *report) {
	b.asides.learn(r, b.pool.holds)
	read := b.reports.read
	b.reports.read = func(ctx context.Context) (*report, error) {
		r, err := read(ctx)
		if err == nil {
			b.asides.learn(r, b.pool.holds)
		}
		return r, err
	}
}

// thin tells whether the volumes are to be thin. A thin pool that somebody has made
// beside thick volumes of ours does not make a pool lose them, nor leave those unwiped
// that were deleted.
func (o Options) thin(r *report) bool {
	if !o.Auto || o.ThinPool == "" {
		return o.ThinPool != ""
	}
	_, there := r.find(o.ThinPool)
	return there && r.ours(false) == 0
}

// overlooked counts volumes of ours in thin pools that are not used: because thick ones
// are there too, or the pool has another name than it was.
func (o Options) overlooked(r *report) int {
	if !o.Auto || o.ThinPool == "" || o.thin(r) {
		return 0
	}
	return r.ours(true)
}

// ours counts our volumes in thin pools, or the thick ones, and what of them is still to
// be wiped.
func (r *report) ours(thin bool) (n int) {
	for _, v := range r.volumes {
		_, volume := backend.VolumeID(v.Name)
		if thin == (v.Pool != "") && (volume || backend.CheckTrashName(v.Name) == nil) {
			n++
		}
	}
	return n
}

func newGroup(options Options) *group {
	g := &group{
		name:    options.VolumeGroup,
		config:  []string{"--config", ownSettings + withoutUdev()},
		discard: options.Discard,
		slots:   make(chan struct{}, changers),
	}
	g.reports = &cached[*report]{read: g.readReport, age: reportAge}
	g.disks = &cached[[]string]{age: disksAge, read: func(ctx context.Context) ([]string, error) {
		whole, err := g.readGroup(ctx)
		return disksOf(whole.physical), err
	}}
	return g
}

// ownSettings are what lvm.conf (lvmconfig(8)) has no say in. On a volume a tenant may
// make a volume group of the pool's name, and of two that have one name LVM changes
// neither: it looks for none there. The others shape reports, also what stands before
// each line of one.
const ownSettings = `devices/scan_lvs=0 report/prefixes=0 report/binary_values_as_numeric=0 report/list_item_separator="," ` +
	`log/prefix="  " log/command_names=0 log/report_command_log=0 `

// withoutUdev makes LVM create the nodes in /dev itself where no udev does it, as
// in most containers: it would otherwise wait for udev, or not find its devices.
func withoutUdev() string {
	if _, err := os.Stat("/run/udev/control"); err == nil {
		return ""
	}
	return `activation { udev_sync=0 udev_rules=0 verify_udev_operations=0 } ` +
		`devices { obtain_device_list_from_udev=0 external_device_info_source="none" }`
}

// noGroup explains why there is no answer about the volume group.
func noGroup(err error, name string) error {
	var exit *run.ExitError
	if errors.As(err, &exit) && strings.Contains(exit.Stderr, "not found") {
		return fault.Wrap(err, fault.Unavailable,
			"there is no volume group %s; make it of a disk that may be overwritten: vgcreate %s /dev/DISK; "+
				"or it is hidden by lvm.conf (global_filter), LVM's devices file (lvmdevices), or since its disks are logical volumes", name, name)
	}
	return err
}

// openPool checks that the thin pool is there and fit for tenants' volumes.
func openPool(ctx context.Context, g *group, r *report, name string) (*thin, error) {
	v, ok := r.find(name)
	if !ok {
		return nil, fault.New(fault.Unavailable, "volume group %s has no thin pool %s; make it: lvcreate -L SIZE -T %s",
			g.name, name, g.path(name))
	}
	if !v.thinPool() {
		return nil, fault.New(fault.Invalid, "%s is a logical volume, but not a thin pool", g.path(name))
	}
	zeroes, err := g.poolZeroes(ctx, name)
	if err != nil {
		return nil, err
	}
	if !zeroes {
		return nil, fault.New(fault.Invalid, "thin pool %s hands out blocks as they are, with what other tenants left "+
			"in them; mend it: lvchange -Zy %s", g.path(name), g.path(name))
	}
	return &thin{group: g, name: name}, nil
}

// activateAll makes our volumes usable, with one program for many. One that cannot
// be activated is no reason to serve none: Device will say why.
func (b *Backend) activateAll(ctx context.Context, r *report) error {
	var inactive []string
	for _, v := range r.volumes {
		if _, ok := backend.VolumeID(v.Name); !ok || !b.pool.holds(v) {
			continue
		}
		_, active, err := b.mapped(v.Name)
		if err != nil {
			return err
		}
		if !active {
			inactive = append(inactive, b.path(v.Name))
		}
	}
	for some := range slices.Chunk(inactive, 500) {
		if err := b.change(ctx, "lvchange", append([]string{"-y", "-ay", "-K"}, some...)...); err != nil {
			slog.WarnContext(ctx, "some volumes could not be activated", "group", b.group.name, "error", err)
		}
	}
	return b.pool.activate(ctx)
}

// disksOf turns paths of physical volumes into the kernel's names of the disks,
// leaving out those that are missing.
func disksOf(paths []string) (disks []string) {
	for _, path := range paths {
		var info unix.Stat_t
		if unix.Stat(path, &info) != nil {
			continue
		}
		if disk, ok := backend.DiskOf(info.Rdev); ok && !slices.Contains(disks, disk) {
			disks = append(disks, disk)
		}
	}
	return disks
}
