package conf

import (
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"

	"clinker/internal/fault"
)

// Backend is one section named in enabled_backends. A key that the section
// lacks is looked up in [backend_defaults], as Cinder does.
type Backend struct {
	Name string // the name of the section

	VolumeDriver            string `ini:"volume_driver" default:"lvm" choices:"lvm,file" alias:"cinder.volume.drivers.lvm.LVMVolumeDriver=lvm" help:"What keeps the volumes: an LVM volume group, or a folder of sparse files."`
	VolumeBackendName       string `ini:"volume_backend_name" default:"" help:"The name volume types ask for. Empty: the name of the section."`
	BackendHost             string `ini:"backend_host" default:"" help:"Replaces host in the names of this backend's pools."`
	BackendAvailabilityZone string `ini:"backend_availability_zone" default:"" help:"Replaces storage_availability_zone for this backend."`

	VolumeGroup   string `ini:"volume_group" default:"cinder-volumes" help:"The LVM volume group."`
	LVMType       string `ini:"lvm_type" default:"auto" choices:"default,thin,auto" help:"default: thick volumes. thin: in a thin pool. auto: in the thin pool if the volume group has it, and no thick volumes."`
	LVMThinPool   string `ini:"lvm_thin_pool" default:"" help:"The thin pool. Empty: the volume group's name and -pool, as Cinder names it."`
	FileDirectory string `ini:"file_directory" default:"" help:"The folder of the file backend. Empty: volumes/ and the section's name under state_path."`

	TargetHelper               string   `ini:"target_helper" old:"iscsi_helper" default:"auto" choices:"lio,tgt,auto" alias:"lioadm=lio,tgtadm=tgt" help:"What exports the volumes: the kernel (LIO), tgtd, or whichever this machine has."`
	TgtSocket                  string   `ini:"tgt_socket" default:"/run/tgtd/socket.0" help:"The management socket of the tgtd to export through, where target_helper means tgt."`
	TargetProtocol             string   `ini:"target_protocol" old:"iscsi_protocol" default:"iscsi" choices:"iscsi" help:"How hosts reach the volumes."`
	TargetIPAddress            string   `ini:"target_ip_address" old:"iscsi_ip_address" default:"$my_ip" help:"The address hosts log in to."`
	TargetSecondaryIPAddresses []string `ini:"target_secondary_ip_addresses" old:"iscsi_secondary_ip_addresses" default:"" help:"More addresses of this machine, for multipath."`
	TargetPort                 int      `ini:"target_port" old:"iscsi_port" default:"3260" min:"1" max:"65535" help:"The port hosts log in to."`
	TargetPrefix               string   `ini:"target_prefix" old:"iscsi_target_prefix" default:"iqn.2010-10.org.openstack:" help:"What the name of every target starts with."`

	ImageVolumeCacheEnabled   bool `ini:"image_volume_cache_enabled" default:"false" help:"Keep images that volumes are made of in hidden volumes, so that each is fetched once."`
	ImageVolumeCacheMaxSizeGB int  `ini:"image_volume_cache_max_size_gb" default:"0" min:"0" help:"How large the hidden volumes may be together, in GiB; what was used last stays. 0: no bound."`
	ImageVolumeCacheMaxCount  int  `ini:"image_volume_cache_max_count" default:"0" min:"0" help:"How many hidden volumes there may be. 0: no bound."`

	VolumeClearBytesPerSecond int64 `ini:"volume_clear_bytes_per_second" default:"104857600" min:"0" help:"How fast deleted volumes are zeroed, in bytes a second, all together; 0 means as fast as the disks can."`
	VolumeCopyBPSLimit        int64 `ini:"volume_copy_bps_limit" default:"$DEFAULT.volume_copy_bps_limit" min:"0" help:"How fast this backend's volumes are copied, in bytes a second. Where it differs from [DEFAULT]'s, the backend's copies count apart from those of others."`

	MaxOverSubscriptionRatio Ratio `ini:"max_over_subscription_ratio" default:"$DEFAULT.max_over_subscription_ratio" help:"How many times its size a thin pool may be promised, at least 1, or auto, which is 20 here."`
	ReservedPercentage       int   `ini:"reserved_percentage" default:"$DEFAULT.reserved_percentage" min:"0" max:"100" help:"How much of the pool is never given away, in percent."`
}

// backendDefaults is the section whose keys count for every backend.
const backendDefaults = "backend_defaults"

// fillBackends reads the sections that enabled_backends names.
func (c *Config) fillBackends(f *filler) {
	f.register(backendDefaults, &Backend{})
	for i, name := range c.EnabledBackends {
		if slices.Contains(c.EnabledBackends[:i], name) {
			f.fail("[DEFAULT] enabled_backends names %s twice", name)
			continue
		}
		if !f.text.has(name) {
			f.fail("[DEFAULT] enabled_backends names %s, but there is no section [%s]", name, name)
			continue
		}
		if f.isFixed(name) {
			f.fail("[DEFAULT] enabled_backends names %s, which is not a section for a backend", name)
			continue
		}
		b := Backend{Name: name}
		f.register(name, &b)
		f.fill(name, &b)
		b.complete(c)
		c.Backends = append(c.Backends, b)
	}
}

// complete fills what follows from other options.
func (b *Backend) complete(c *Config) {
	orElse := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	orElse(&b.VolumeBackendName, b.Name)
	orElse(&b.BackendHost, c.Host)
	orElse(&b.BackendAvailabilityZone, c.StorageAvailabilityZone)
	orElse(&b.LVMThinPool, b.VolumeGroup+"-pool")
	orElse(&b.FileDirectory, b.ownDirectory(c.StatePath))
}

// ownDirectory is the folder of the backend where none is set.
func (b *Backend) ownDirectory(statePath string) string {
	return filepath.Join(statePath, "volumes", b.Name)
}

// checkBackends refuses two backends that would give away the same bytes, and names
// that a pool's name cannot have in it.
func (c *Config) checkBackends() []error {
	var errs []error
	seen := map[string]string{}
	for _, b := range c.Backends {
		if err := checkHost(b.Name, "backend_host", b.BackendHost); err != nil {
			errs = append(errs, err)
		}
		errs = append(errs, b.checkAddresses()...)
		errs = append(errs, b.checkNames(c.StatePath)...)
		for _, place := range b.places() {
			if other, taken := seen[place]; taken {
				errs = append(errs, fault.New(fault.Invalid, "[%s] and [%s] both have %s; each backend needs its own", other, b.Name, place))
				break
			}
			seen[place] = b.Name
		}
	}
	return errs
}

// checkAddresses refuses what hosts could not log in to: the target listens there, and
// they are told so.
func (b *Backend) checkAddresses() []error {
	var errs []error
	for _, address := range append([]string{b.TargetIPAddress}, b.TargetSecondaryIPAddresses...) {
		if ip, err := netip.ParseAddr(address); err != nil || ip.IsUnspecified() {
			errs = append(errs, fault.New(fault.Invalid, "[%s] target_ip_address, target_secondary_ip_addresses: %q is not an IP address that hosts can log in to", b.Name, address))
		}
	}
	return errs
}

// targetPrefix is how the name of a target may begin (RFC 7143 §4.2.7): without
// underscores, with which target.CheckIQN refuses every export; and initiators refuse what
// is of no known form.
var targetPrefix = regexp.MustCompile(`^iqn\.[0-9]{4}-[0-9]{2}\.[A-Za-z0-9.:-]+$`)

// checkNames refuses a directory that would be another one where the process is started
// from elsewhere, and targets that no initiator could log in to. Of a directory that
// state_path gives, state_path is told.
func (b *Backend) checkNames(statePath string) []error {
	var errs []error
	if b.VolumeDriver == "file" && b.FileDirectory != b.ownDirectory(statePath) && !filepath.IsAbs(b.FileDirectory) {
		errs = append(errs, fault.New(fault.Invalid, "[%s] file_directory = %s: it must begin with /", b.Name, b.FileDirectory))
	}
	if !targetPrefix.MatchString(b.TargetPrefix) {
		errs = append(errs, fault.New(fault.Invalid, "[%s] target_prefix = %q: it must begin an iSCSI name, as iqn.2010-10.org.openstack: does", b.Name, b.TargetPrefix))
	}
	return errs
}

// places are where the backend may keep volumes.
func (b *Backend) places() []string {
	if b.VolumeDriver == "file" {
		return []string{"file_directory = " + filepath.Clean(b.FileDirectory)}
	}
	group := "volume_group = " + b.VolumeGroup
	pool := group + ", lvm_thin_pool = " + b.LVMThinPool
	switch b.LVMType {
	case "thin":
		return []string{pool}
	case "default":
		return []string{group}
	}
	return []string{group, pool} // auto: which of them the volume group tells
}
