package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const database = "clinker"

func (c *cloud) pki() string { return filepath.Join(c.dir, "pki") }

// tgtSocket is the path as TGT_IPC_SOCKET has it; tgtd appends .0.
func (c *cloud) tgtSocket() string { return filepath.Join(c.dir, "tgtd") }

// control configures API and scheduler: Clinker's defaults but for quotas, which
// would end the measurement early.
func (c *cloud) control() string {
	return fmt.Sprintf(`[DEFAULT]
my_ip = 127.0.0.1
host = control
state_path = %[1]s/control
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = %[2]d
auth_strategy = builtin
quota_volumes = -1
quota_gigabytes = -1
quota_snapshots = -1
[database]
connection = %[3]s
[clinker]
identity_directory = %[1]s/identity
scheduler_listen = 127.0.0.1
scheduler_port = %[4]d
%[5]s`, c.dir, c.apiPort, c.postgres.URL(database), c.schedulerPort, certificates(c.pki()))
}

// fileNode configures the storage node on this machine. Its sparse files may
// promise more than the disk has.
func (c *cloud) fileNode() string {
	return fmt.Sprintf(`[DEFAULT]
my_ip = 127.0.0.1
host = node
state_path = %[1]s/node
enabled_backends = file
[file]
volume_driver = file
max_over_subscription_ratio = 10000
target_helper = tgt
target_port = %[2]d
tgt_socket = %[3]s.0
[clinker]
volumed_port = %[4]d
scheduler_port = %[5]d
%[6]s`, c.dir, c.targetPort, c.tgtSocket(), c.nodePort, c.schedulerPort, certificates(c.pki()))
}

func certificates(dir string) string {
	return fmt.Sprintf("ca = %[1]s/ca.crt\ncert = %[1]s/{role}.crt\nkey = %[1]s/{role}.key\n", dir)
}

func (c *cloud) write(name, text string) (path string, err error) {
	path = filepath.Join(c.dir, name+".conf")
	return path, os.WriteFile(path, []byte(text), 0o600)
}
