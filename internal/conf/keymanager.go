package conf

import (
	"path/filepath"

	"clinker/internal/fault"
)

// KeyManager is [key_manager]: who keeps the keys of encrypted volumes.
type KeyManager struct {
	Backend string `ini:"backend" old:"api_class" default:"barbican" help:"Who keeps the keys of encrypted volumes. barbican: OpenStack's key manager, where there is a Keystone. local: the database, sealed by local_key_file."`
	KeyFile string `ini:"local_key_file" default:"" sample:"$state_path/keys/key-file" help:"The key file of the local key store, with mode 0600, the same for every API and scheduler; clinker keyfile makes one. Without it, and without a copy of it, nobody reads an encrypted volume again."`
}

// Barbican is [barbican]: how the key manager is reached.
type Barbican struct {
	Endpoint     string `ini:"barbican_endpoint" default:"" help:"The key manager's URL. Empty: the one in Keystone's catalog."`
	EndpointType string `ini:"barbican_endpoint_type" default:"public" choices:"public,internal,admin" help:"Which of its endpoints in the catalog."`
	RegionName   string `ini:"barbican_region_name" default:"" help:"The region in which to look for it. Empty: any."`
	VerifySSL    bool   `ini:"verify_ssl" default:"true" help:"Verify the key manager's certificate."`
	CAFile       string `ini:"verify_ssl_path" default:"" help:"The CA certificates that vouch for it. Empty: the system's."`
}

// The key stores that there are.
const (
	KeysInBarbican = "barbican"
	KeysLocal      = "local"
)

// complete understands the backend's names, Cinder's class paths among them.
func (k *KeyManager) complete(statePath string) error {
	if k.KeyFile == "" {
		k.KeyFile = filepath.Join(statePath, "keys", "key-file")
	}
	switch k.Backend {
	case KeysInBarbican, "castellan.key_manager.barbican_key_manager.BarbicanKeyManager", "castellan.key_manager.migration.MigrationKeyManager":
		k.Backend = KeysInBarbican
	case KeysLocal:
	case "cinder.keymgr.conf_key_mgr.ConfKeyManager", "cinder.keymgr.migration.MigrationKeyManager":
		return fault.New(fault.Invalid, "[key_manager] backend = %s: this would encrypt every volume of every project with fixed_key, "+
			"which is written in the configuration of each host; accepted is barbican or local", k.Backend)
	default:
		return fault.New(fault.Invalid, "[key_manager] backend = %s: accepted is barbican, castellan.key_manager.barbican_key_manager.BarbicanKeyManager or local", k.Backend)
	}
	return nil
}
