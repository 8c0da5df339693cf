//go:build tempest

package upstream

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"

	"clinker/tempest/rig"
)

const glanceConf = `[DEFAULT]
bind_host = 127.0.0.1
bind_port = %[2]d
workers = 1
log_file = %[1]s/glance-api.log
use_stderr = false
enabled_backends = file:file
node_staging_uri = file://%[1]s/glance/staging
[database]
connection = %[3]s
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = %[1]s/glance/images
[os_glance_tasks_store]
filesystem_store_datadir = %[1]s/glance/tasks
[os_glance_staging_store]
filesystem_store_datadir = %[1]s/glance/staging
[paste_deploy]
flavor = keystone
config_file = /etc/glance/glance-api-paste.ini
[oslo_concurrency]
lock_path = %[1]s/glance/lock
[keystone_authtoken]
www_authenticate_uri = %[4]s
auth_url = %[4]s
auth_type = password
username = glance
password = %[5]s
project_name = service
user_domain_name = Default
project_domain_name = Default
`

// startGlance brings Glance up, in Keystone's catalog.
func startGlance(t *testing.T, k *keystone) {
	t.Helper()
	port := rig.Ports(t, 1)
	for _, dir := range []string{"images", "staging", "tasks", "lock"} {
		if err := os.MkdirAll(filepath.Join(k.dir, "glance", dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	conf := filepath.Join(k.dir, "glance.conf")
	write(t, conf, fmt.Sprintf(glanceConf, k.dir, port, k.database(t, "glance"), k.url(), k.password))
	execute(t, []string{"glance-manage", "--config-file", conf, "db_sync"}, nil)
	rig.Daemon(t, k.dir, "glance", nil, "glance-api", "--config-file", conf)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	answers(t, url+"/healthcheck")
	k.announce(t, "image", "glance", url)
}

// addImage uploads a mebibyte that no other image has, readable by all.
func (k *keystone) addImage(t *testing.T) (id string) {
	t.Helper()
	k.logIn(t) // for a token whose catalog has Glance
	client, err := openstack.NewImageV2(k.identity.ProviderClient, gophercloud.EndpointOpts{Region: region})
	if err != nil {
		t.Fatal(err)
	}
	public := images.ImageVisibilityPublic
	image, err := images.Create(t.Context(), client, images.CreateOpts{
		Name: "tiny", Visibility: &public, DiskFormat: "raw", ContainerFormat: "bare"}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	if err := imagedata.Upload(t.Context(), client, image.ID, io.LimitReader(rand.Reader, 1<<20)).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	return image.ID
}
