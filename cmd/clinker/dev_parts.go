package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"clinker/internal/openstack/builtin"
)

// devNode is one storage node of a dev.
type devNode struct {
	name    string
	targets *privateTargets
}

// settings is the part of the configuration that all parts share.
func (d *dev) settings() string {
	return fmt.Sprintf(`[DEFAULT]
my_ip = %[1]s
state_path = %[2]s
osapi_volume_listen = %[1]s
osapi_volume_listen_port = %[3]d
auth_strategy = builtin
glance_api_servers = %[5]s
backup_driver = posix
backup_posix_path = %[2]s/backup
[keystone_authtoken]
www_authenticate_uri = http://%[4]s
[key_manager]
backend = local
[oslo_policy]
policy_file = %[2]s/policy.yaml
[clinker]
ca = %[2]s/pki/ca.crt
cert = %[2]s/pki/{role}.crt
key = %[2]s/pki/{role}.key
identity_directory = %[2]s/identity
`, d.Listen, literal(d.Data), d.Port, d.address(d.IdentityPort), literal(d.ImageService))
}

// literal keeps a value of the configuration from being taken for a reference.
func literal(value string) string { return strings.ReplaceAll(value, "$", "$$") }

// writeConfig leaves a configuration for the subcommands that look at a cloud from
// outside, such as job and backup.
func (d *dev) writeConfig() error {
	text := "# Written at every start of clinker dev, for clinker job, backup and others; changing it changes nothing.\n" +
		d.settings() + "[database]\nconnection = " + literal(d.postgres.URL("clinker")) + "\n"
	return os.WriteFile(filepath.Join(d.Data, "clinker.conf"), []byte(text), 0o600)
}

// startIdentity serves the small Keystone of our own and writes the openrc.
func (d *dev) startIdentity(ctx context.Context) (string, error) {
	accounts, err := builtin.Bootstrap(filepath.Join(d.Data, "identity"))
	if err != nil {
		return "", err
	}
	service, err := d.identity()
	if err != nil {
		return "", err
	}
	for _, a := range accounts {
		if err := d.writeOpenrc(service, a); err != nil {
			return "", err
		}
	}
	listener, err := listenTCP(ctx, d.address(d.IdentityPort), "--listen, --identity-port")
	if err != nil {
		return "", err
	}
	d.part(ctx, "identity service", func(ctx context.Context) error { return serveHTTP(ctx, listener, service.Handler()) })
	return service.AuthURL(), nil
}

func (d *dev) identity() (*builtin.Service, error) {
	cfg, err := d.config("")
	if err != nil {
		return nil, err
	}
	return builtinIdentity(cfg, "http://"+d.address(d.IdentityPort), "http://"+d.address(d.Port)+"/v3")
}

func (d *dev) writeOpenrc(service *builtin.Service, a builtin.Account) error {
	path := filepath.Join(d.Data, a.User+"-openrc")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	return builtin.Openrc(file, service.AuthURL(), service.Region(), a)
}

// startScheduler runs the scheduler and lets storage nodes announce themselves.
func (d *dev) startScheduler(ctx context.Context) (string, error) {
	cfg, err := d.config("")
	if err != nil {
		return "", err
	}
	s, err := newScheduler(cfg, d.db)
	if err != nil {
		return "", err
	}
	listener, err := listenTCP(ctx, net.JoinHostPort("127.0.0.1", "0"), "any free port")
	if err != nil {
		return "", err
	}
	d.scheduler = "https://" + listener.Addr().String()
	d.part(ctx, "scheduler", func(ctx context.Context) error { return serveScheduler(ctx, cfg, s, listener) })
	return d.scheduler, nil
}

// startNodes runs the storage nodes, each with a directory, a backend and a
// target of its own.
func (d *dev) startNodes(ctx context.Context) (string, error) {
	begin := time.Now()
	var names []string
	for i := range d.Nodes {
		node, err := d.startNode(ctx, i)
		if err != nil {
			return "", err
		}
		names = append(names, node.name)
	}
	return strings.Join(names, ", "), d.awaitPools(ctx, begin)
}

func (d *dev) startNode(ctx context.Context, i int) (*devNode, error) {
	node := &devNode{name: nodeName(i)}
	node.targets = &privateTargets{dir: d.nodeDirectory(i)}
	d.nodes = append(d.nodes, node)
	cfg, err := d.config(d.nodeSettings(node, i))
	if err != nil {
		return nil, err
	}
	listener, err := listenTCP(ctx, net.JoinHostPort("127.0.0.1", "0"), "any free port")
	if err != nil {
		return nil, err
	}
	endpoint := "https://" + listener.Addr().String()
	d.part(ctx, "storage node "+node.name, func(ctx context.Context) error {
		return serveNode(ctx, cfg, listener, endpoint, []string{d.scheduler}, node.targets)
	})
	return node, nil
}

func nodeName(i int) string { return fmt.Sprintf("node%d", i+1) }

func (d *dev) nodeDirectory(i int) string { return filepath.Join(d.Data, nodeName(i)) }

// nodeSettings are a node's own options, over the shared ones.
func (d *dev) nodeSettings(node *devNode, i int) string {
	driver, lvmType := "file", "default"
	if d.VolumeGroup != "" {
		driver = "lvm"
	}
	if d.Thin {
		lvmType = "thin"
	}
	return fmt.Sprintf(`[DEFAULT]
host = %s
state_path = %s
report_interval = 5
enabled_backends = %s
[%s]
volume_driver = %s
volume_group = %s
lvm_type = %s
target_port = %d
target_helper = %s
`, node.name, literal(d.nodeDirectory(i)), driver, driver, driver, literal(d.VolumeGroup), lvmType, d.TargetPort+i, d.TargetHelper)
}

// startAPI serves the REST API.
func (d *dev) startAPI(ctx context.Context) (string, error) {
	cfg, err := d.config("")
	if err != nil {
		return "", err
	}
	who, err := d.identity()
	if err != nil {
		return "", err
	}
	server, err := newAPI(ctx, cfg, d.db, who)
	if err != nil {
		return "", err
	}
	listener, err := listenAPI(ctx, cfg)
	if err != nil {
		return "", err
	}
	handler, err := withKeys(cfg, d.db, who, server)
	if err != nil {
		return "", err
	}
	d.part(ctx, "API", func(ctx context.Context) error { return serveHTTP(ctx, listener, handler) })
	return "http://" + d.address(d.Port) + "/v3", nil
}

// welcome says what to do next.
func (d *dev) welcome() {
	fmt.Printf(`
Clinker is running. In another terminal, with Debian's python3-openstackclient:

  . %s
  openstack volume create --size 1 first
  openstack volume list

Everything is kept in %s. Ctrl-C stops it.
`, shellWord(filepath.Join(d.Data, "admin-openrc")), d.Data)
}

// shellWord quotes a path that a shell would not take as it is.
func shellWord(path string) string {
	if !strings.ContainsAny(path, " \t\n'\"\\$`&;|<>()*?[]#~!{}") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
