//go:build tempest

package upstream

import (
	"fmt"
	"path/filepath"
	"testing"
)

// The backends of the two nodes.
const backends = "node1,node2"

const tempestConf = `[DEFAULT]
log_file = %[1]s/tempest.log
use_stderr = false
[oslo_concurrency]
lock_path = %[1]s/lock
[auth]
use_dynamic_credentials = true
admin_username = admin
admin_password = %[2]s
admin_project_name = admin
admin_domain_name = Default
tempest_roles = member
create_isolated_networks = false
[identity]
auth_version = v3
uri_v3 = %[3]s/v3
region = RegionOne
v3_endpoint_type = public
[service_available]
cinder = true
glance = true
nova = %[4]t
neutron = false
swift = false
horizon = false
[compute]
image_ref = %[5]s
image_ref_alt = %[5]s
flavor_ref = 1
flavor_ref_alt = 2
[image]
region = RegionOne
[volume]
catalog_type = block-storage
region = RegionOne
endpoint_type = public
min_microversion = 3.0
max_microversion = latest
volume_size = 1
volume_size_extend = 1
build_interval = 1
build_timeout = 120
backend_names = %[6]s
storage_protocol = iSCSI
vendor_name = Clinker
manage_volume_ref = source-name,volume-%%s
manage_snapshot_ref = source-name,_snapshot-%%s
[volume-feature-enabled]
multi_backend = true
snapshot = true
backup = %[7]t
clone = true
manage_volume = true
manage_snapshot = true
extend_attached_volume = %[4]t
extend_attached_encrypted_volume = false
consistency_group = true
volume_revert = true
`

// configure writes tempest.conf, with the features that are there, and stestr's
// own configuration.
func (k *keystone) configure(t *testing.T, image string) {
	t.Helper()
	write(t, filepath.Join(k.dir, "tempest.conf"), fmt.Sprintf(tempestConf, k.dir, k.password, k.url(),
		features.Nova, image, backends, features.Backup))
	const packages = "/usr/lib/python3/dist-packages"
	write(t, filepath.Join(k.dir, ".stestr.conf"), fmt.Sprintf("[DEFAULT]\ntest_path=%[1]s/tempest/test_discover\ntop_dir=%[1]s\n", packages))
}
