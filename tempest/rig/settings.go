package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// controlSettings configure the API and the scheduler.
func (c *Cloud) controlSettings() string {
	return fmt.Sprintf(`[DEFAULT]
my_ip = 127.0.0.1
host = control
state_path = %[1]s/control
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = %[2]d
auth_strategy = %[3]s
%[4]s
[database]
connection = %[5]s
[clinker]
identity_directory = %[6]s
%[7]s
%[8]s
`, c.Dir, c.apiPort, c.strategy(), c.options.Settings, c.Postgres.URL(database), c.options.Identity, c.shared(), c.keystone())
}

// strategy is who tells the API who callers are.
func (c *Cloud) strategy() string {
	switch {
	case c.options.Keystone != nil:
		return "keystone"
	case c.options.Identity != "":
		return "builtin"
	}
	return "noauth"
}

// keystone is the section about it, if there is one.
func (c *Cloud) keystone() string {
	k := c.options.Keystone
	if k == nil {
		return ""
	}
	return fmt.Sprintf("[keystone_authtoken]\nauth_url = %s\nusername = %s\npassword = %s", k.AuthURL, k.Username, k.Password)
}

// nodeSettings configure one storage node.
func (c *Cloud) nodeSettings(n *Node, name string, port int) string {
	return fmt.Sprintf(`[DEFAULT]
my_ip = 127.0.0.1
host = %[1]s
state_path = %[2]s
report_interval = 2
enabled_backends = %[3]s
%[10]s
[%[3]s]
volume_driver = file
file_directory = %[4]s
target_helper = tgt
target_port = %[5]d
tgt_socket = %[6]s.0
%[7]s
[clinker]
volumed_port = %[8]d
%[9]s
`, name, filepath.Join(c.Dir, name), Backend, n.Volumes, n.targetPort, n.TgtSocket, strings.ReplaceAll(c.options.NodeSettings, "{node}", name), port, c.shared(), c.backups())
}

// backups is where the nodes keep them, if they do.
func (c *Cloud) backups() string {
	if !c.options.Backups {
		return ""
	}
	return fmt.Sprintf("backup_driver = posix\nbackup_posix_path = %s", c.BackupStore())
}

// shared is the part of [clinker] that all have.
func (c *Cloud) shared() string {
	return fmt.Sprintf(`ca = %[1]s/ca.crt
cert = %[1]s/{role}.crt
key = %[1]s/{role}.key
scheduler_listen = 127.0.0.1
scheduler_port = %[2]d`, c.PKI(), c.schedulerPort)
}

func (c *Cloud) write(t testing.TB, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(c.Dir, name+".conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
