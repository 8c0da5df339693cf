package rig

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/jackc/pgx/v5/pgxpool"

	"clinker/internal/pki"
	"clinker/internal/postgres"
)

// Backend is the name of every node's only backend, and of its only pool.
const Backend = "file"

const database = "clinker"

// Options say what a Cloud consists of. Zero is one node and Clinker's defaults.
type Options struct {
	Nodes        int
	Settings     string // more lines for [DEFAULT] of API and scheduler
	NodeSettings string // more lines for the backend's section of each node; {node} is its name
	Backups      bool   // the nodes share a store for backups, a directory

	Elsewhere bool      // no storage nodes here: the caller runs them on other machines
	Names     []string  // under which those reach this machine, besides 127.0.0.1
	Identity  string    // directory of the built-in identity, which the caller serves; "" is noauth
	Keystone  *Keystone // asked who callers are; nil is noauth
}

// Keystone is where the API validates tokens, and as whom.
type Keystone struct{ AuthURL, Username, Password string }

// Cloud is an installation of separate processes: API, scheduler, storage
// nodes with the file backend and tgt, PostgreSQL.
type Cloud struct {
	Dir            string
	Endpoint       string // of the API, with /v3
	API, Scheduler *Role
	Nodes          []*Node
	Postgres       *postgres.Server
	DB             *pgxpool.Pool // the test's own connections

	options                Options
	apiPort, schedulerPort int
}

// BackupStore is the directory of the nodes' store.
func (c *Cloud) BackupStore() string { return filepath.Join(c.Dir, "backup") }

// Node is one storage node.
type Node struct {
	*Role
	Endpoint   string // of its Thrift service
	Volumes    string // the file backend's directory
	TgtSocket  string // as TGT_IPC_SOCKET names it, without the .0 at its end
	targetPort int
	tgtd       *Process
}

// Start brings a cloud up and returns when all its pools are known. It ends
// with the test.
func Start(t testing.TB, o Options) *Cloud {
	t.Helper()
	if o.Nodes = max(o.Nodes, 1); o.Elsewhere {
		o.Nodes = 0
	}
	c := &Cloud{Dir: Directory(t), options: o, apiPort: Ports(t, 1), schedulerPort: Ports(t, 1)}
	c.Endpoint = fmt.Sprintf("http://127.0.0.1:%d/v3", c.apiPort)
	t.Cleanup(func() { c.stop(t) })
	c.startPostgres(t)
	c.makeCertificates(t)
	conf := c.write(t, "control", c.controlSettings())
	c.migrate(t, conf)
	c.API = c.role(t, "api", conf, "api", c.apiPort)
	c.Scheduler = c.role(t, "scheduler", conf, "scheduler", c.schedulerPort)
	since := time.Now()
	for i := range o.Nodes {
		c.Nodes = append(c.Nodes, c.newNode(t, i+1))
	}
	for _, r := range c.Roles() {
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
	}
	c.AwaitPools(t, since)
	return c
}

// Roles are all processes of Clinker, the scheduler first.
func (c *Cloud) Roles() []*Role {
	roles := []*Role{c.Scheduler}
	for _, n := range c.Nodes {
		roles = append(roles, n.Role)
	}
	return append(roles, c.API)
}

// PKI is where the certificates are.
func (c *Cloud) PKI() string { return filepath.Join(c.Dir, "pki") }

// Client is an administrator's in the project with that id.
func (c *Cloud) Client(t testing.TB, project string) *gophercloud.ServiceClient {
	return noAuthClient(t, c.Endpoint, project)
}

// AwaitPools returns when every node's pool has been heard of since.
func (c *Cloud) AwaitPools(t testing.TB, since time.Time) {
	t.Helper()
	Eventually(t, 30*time.Second, func() error {
		var n int
		err := c.DB.QueryRow(context.Background(), "SELECT count(*) FROM pools WHERE polled_at > $1", since).Scan(&n)
		if err == nil && n < len(c.Nodes) {
			err = fmt.Errorf("%d of %d pools are known", n, len(c.Nodes))
		}
		return err
	})
}

func (c *Cloud) startPostgres(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	var err error
	c.Postgres, err = postgres.Start(ctx, postgres.Options{
		Directory: filepath.Join(c.Dir, "postgres"), Volatile: true, LogFile: filepath.Join(c.Dir, "postgres.log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.openDatabase(t)
}

// openDatabase makes the database, which is empty, and connects to it.
func (c *Cloud) openDatabase(t testing.TB) {
	t.Helper()
	err := c.Postgres.EnsureDatabase(t.Context(), database)
	if err == nil {
		c.DB, err = pgxpool.New(context.WithoutCancel(t.Context()), c.Postgres.URL(database))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (c *Cloud) makeCertificates(t testing.TB) {
	t.Helper()
	if _, err := pki.EnsureCA(c.PKI()); err != nil {
		t.Fatal(err)
	}
	for _, role := range []pki.Role{pki.API, pki.Scheduler, pki.Volumed} {
		if _, _, err := pki.Issue(c.PKI(), string(role), role, append([]string{"127.0.0.1"}, c.options.Names...)...); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *Cloud) migrate(t testing.TB, conf string) {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), Binary(t), "--config", conf, "db", "migrate").CombinedOutput()
	if err != nil {
		t.Fatalf("clinker db migrate: %v: %s", err, said)
	}
}

func (c *Cloud) newNode(t testing.TB, number int) *Node {
	t.Helper()
	name := fmt.Sprintf("node%d", number)
	port := Ports(t, 1)
	n := &Node{targetPort: Ports(t, 1), Volumes: filepath.Join(c.Dir, name, "volumes"),
		TgtSocket: filepath.Join(c.Dir, name+"-tgtd"), Endpoint: fmt.Sprintf("https://127.0.0.1:%d", port)}
	n.Role = c.role(t, name, c.write(t, name, c.nodeSettings(n, name, port)), "volumed", port)
	n.StartTgtd(t)
	return n
}

// StartTgtd runs the daemon that, as on a real node, is not volumed's child. It
// is there already when the cloud has started.
func (n *Node) StartTgtd(t testing.TB) {
	t.Helper()
	var err error
	n.tgtd, err = start(n.TgtSocket+".log", syscall.SIGKILL, []string{"TGT_IPC_SOCKET=" + n.TgtSocket},
		"tgtd", "--foreground", "--control-port", "0", "--iscsi", fmt.Sprintf("portal=127.0.0.1:%d", n.targetPort))
	if err != nil {
		t.Fatalf("%v: run make deps", err)
	}
	Eventually(t, startLimit, func() error {
		_, err := n.Tgtadm(context.Background(), "--op", "show", "--mode", "sys")
		return err
	})
}

// KillTgtd ends the daemon without notice; all sessions break off.
func (n *Node) KillTgtd() {
	if n.tgtd != nil {
		n.tgtd.Kill()
	}
}

// Tgtadm runs tgtadm against the node's daemon and gives what it says.
func (n *Node) Tgtadm(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "tgtadm", append([]string{"--lld", "iscsi"}, args...)...)
	command.Env = []string{"TGT_IPC_SOCKET=" + n.TgtSocket, "PATH=/usr/sbin:/usr/bin"}
	said, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("tgtadm: %w: %s", err, said)
	}
	return string(said), err
}

// stop ends everything, the last started first.
func (c *Cloud) stop(t testing.TB) {
	for _, r := range c.Roles() {
		if r != nil {
			r.Kill()
		}
	}
	for _, n := range c.Nodes {
		n.KillTgtd()
	}
	if c.DB != nil {
		c.DB.Close()
	}
	if c.Postgres != nil {
		_ = c.Postgres.Stop()
	}
	showLogs(t, c.Dir)
}
