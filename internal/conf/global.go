package conf

import (
	"path/filepath"
	"strings"

	"clinker/internal/fault"
)

// Global is the part of [DEFAULT] that every process reads.
type Global struct {
	MyIP                    string   `ini:"my_ip" default:"$machine_ip" sample:"<the address of the default route>" help:"The address of this machine. Other options refer to it as $my_ip."`
	Host                    string   `ini:"host" default:"$machine_name" sample:"<the name of this machine>" help:"The name of this machine in host@backend#pool. A name, not an address; keep it when the machine is renamed."`
	StatePath               string   `ini:"state_path" default:"/var/lib/cinder" help:"The folder for everything that must survive a restart."`
	EnabledBackends         []string `ini:"enabled_backends" default:"" help:"The storage backends that this machine's volumed serves: names of sections of this file."`
	StorageAvailabilityZone string   `ini:"storage_availability_zone" default:"nova" help:"The availability zone of this machine's backends."`
	VolumeCopyBPSLimit      int64    `ini:"volume_copy_bps_limit" default:"0" min:"0" help:"How fast this node copies volumes, images and backups, in bytes a second, all copies together; 0 means as fast as the disks can."`
	Debug                   bool     `ini:"debug" default:"false" help:"Log what is only of use while looking for a fault."`
	UseJSON                 bool     `ini:"use_json" default:"false" help:"Write the log as one JSON object a line, instead of text."`
}

// check refuses what a process would stumble over later.
func (g *Global) check() error {
	if !filepath.IsAbs(g.StatePath) {
		return fault.New(fault.Invalid, "[DEFAULT] state_path = %s: it must begin with /, for processes start in any folder", g.StatePath)
	}
	return checkHost("DEFAULT", "host", g.Host)
}

// checkHost refuses a name that could not be told from the rest of host@backend#pool.
func checkHost(section, key, host string) error {
	if host == "" || strings.ContainsAny(host, "@#/ \t\n") {
		return fault.New(fault.Invalid, "[%s] %s = %q: a name is needed, without @, #, / and blanks", section, key, host)
	}
	return nil
}
