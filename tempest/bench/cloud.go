package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/pki"
	"clinker/internal/postgres"
	"clinker/tempest/load"
	"clinker/testbed/ports"
)

// cloud is Clinker as separate processes.
type cloud struct {
	dir, binary string
	postgres    *postgres.Server
	identity    *identity
	processes   []*process // in the order of their start
	endpoint    load.Endpoint
	apiStart    time.Duration // until its first answer

	apiPort, schedulerPort, nodePort, targetPort int
}

// startCloud starts all roles with one storage node on this machine. A cloud
// that is not nil must be stopped, whatever the error.
func startCloud(ctx context.Context, dir, binary string) (*cloud, error) {
	c, err := startControl(ctx, dir, binary, "127.0.0.1")
	if err != nil {
		return c, err
	}
	if err := c.startTgtd(ctx); err != nil {
		return c, err
	}
	conf, err := c.write("node", c.fileNode())
	if err != nil {
		return c, err
	}
	if err := c.startRole(ctx, "volumed", conf, nil); err != nil {
		return c, err
	}
	return c, c.awaitPool(ctx)
}

// startControl starts everything but storage nodes. hosts are the addresses at
// which the parts reach each other.
func startControl(ctx context.Context, dir, binary string, hosts ...string) (*cloud, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%w: run make build", err)
	}
	c := &cloud{dir: dir, binary: binary}
	first, err := ports.Take(5)
	if err != nil {
		return nil, err
	}
	c.apiPort, c.schedulerPort, c.nodePort, c.targetPort = first, first+1, first+2, first+3
	if err := c.startPostgres(ctx); err != nil {
		return c, err
	}
	if err := c.makeCertificates(hosts); err != nil {
		return c, err
	}
	if c.identity, err = startIdentity(filepath.Join(dir, "identity"), first+4, c.apiPort); err != nil {
		return c, err
	}
	conf, err := c.write("control", c.control())
	if err != nil {
		return c, err
	}
	if err := c.migrate(ctx, conf); err != nil {
		return c, err
	}
	if err := c.startRole(ctx, "scheduler", conf, nil); err != nil {
		return c, err
	}
	begin := time.Now()
	if err := c.startRole(ctx, "api", conf, c.answers); err != nil {
		return c, err
	}
	c.apiStart = time.Since(begin)
	c.endpoint, err = c.identity.logIn(ctx, 0)
	return c, err
}

func (c *cloud) startPostgres(ctx context.Context) error {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	var err error
	c.postgres, err = postgres.Start(ctx, postgres.Options{
		Directory: filepath.Join(c.dir, "postgres"), LogFile: filepath.Join(c.dir, "postgres.log"),
	})
	if err != nil {
		return err
	}
	return c.postgres.EnsureDatabase(ctx, database)
}

func (c *cloud) makeCertificates(hosts []string) error {
	if _, err := pki.EnsureCA(c.pki()); err != nil {
		return err
	}
	for _, role := range []pki.Role{pki.API, pki.Scheduler, pki.Volumed} {
		if _, _, err := pki.Issue(c.pki(), string(role), role, hosts...); err != nil {
			return err
		}
	}
	return nil
}

func (c *cloud) migrate(ctx context.Context, conf string) error {
	said, err := exec.CommandContext(ctx, c.binary, "--config", conf, "db", "migrate").CombinedOutput()
	if err != nil {
		return fmt.Errorf("clinker db migrate: %w: %s", err, said)
	}
	return nil
}

// startRole starts a subcommand and waits until the check, if there is one, says
// nothing.
func (c *cloud) startRole(ctx context.Context, role, conf string, ready func(context.Context) error) error {
	p, err := start(role, filepath.Join(c.dir, role+".log"), nil, c.binary, "--config", conf, role)
	if err != nil {
		return err
	}
	c.processes = append(c.processes, p)
	if ready == nil {
		return nil
	}
	return p.until(ctx, ready)
}

// answers tells whether the API serves.
func (c *cloud) answers(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/healthcheck", c.apiPort), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: %s", response.Status)
	}
	return nil
}

// startTgtd runs the daemon that, as on a real node, is not volumed's child, with as
// many threads for each volume as clinker dev gives it.
func (c *cloud) startTgtd(ctx context.Context) error {
	p, err := start("tgtd", filepath.Join(c.dir, "tgtd.log"), []string{"TGT_IPC_SOCKET=" + c.tgtSocket()},
		"/usr/sbin/tgtd", "--foreground", "--nr_iothreads", "4", "--control-port", "0", "--iscsi", fmt.Sprintf("portal=127.0.0.1:%d", c.targetPort))
	if err != nil {
		return fmt.Errorf("%w: run make deps", err)
	}
	c.processes = append(c.processes, p)
	return p.until(ctx, func(ctx context.Context) error {
		show := exec.CommandContext(ctx, "/usr/sbin/tgtadm", "--lld", "iscsi", "--op", "show", "--mode", "sys")
		show.Env = []string{"TGT_IPC_SOCKET=" + c.tgtSocket()}
		return show.Run()
	})
}

// awaitPool waits until the scheduler knows the node's pool.
func (c *cloud) awaitPool(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.postgres.URL(database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	last := c.processes[len(c.processes)-1]
	return last.until(ctx, func(ctx context.Context) error {
		var n int
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM pools").Scan(&n); err != nil || n > 0 {
			return err
		}
		return fmt.Errorf("no pool is known")
	})
}

// stop ends everything, the last started first.
func (c *cloud) stop() {
	for i := len(c.processes) - 1; i >= 0; i-- {
		c.processes[i].stop()
	}
	if c.identity != nil {
		c.identity.stop()
	}
	if c.postgres != nil {
		_ = c.postgres.Stop()
	}
}
