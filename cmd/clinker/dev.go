package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"clinker/db"
	"clinker/internal/conf"
	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/pki"
	"clinker/internal/postgres"
	"clinker/internal/telemetry"
)

// devCommand runs all of Clinker in one process on one machine: a private
// PostgreSQL, a CA and certificates of its own, the built-in identity, a
// scheduler, one or more storage nodes, the API. A second start finds
// everything where the first one left it.
type devCommand struct {
	Data         string `short:"d" placeholder:"DIR" help:"Where everything is kept. Default: /var/lib/clinker for root, else ~/.local/state/clinker."`
	Listen       string `default:"127.0.0.1" help:"Address of the API, the identity and the iSCSI portals."`
	Port         int    `short:"p" default:"8776" help:"Port of the API."`
	IdentityPort int    `default:"5000" help:"Port of the identity service."`
	TargetPort   int    `default:"3260" help:"iSCSI port of the first storage node; each further one takes the next."`
	ImageService string `placeholder:"URL" help:"An image service (Glance) that asks for no token, to make volumes of its images."`
	Nodes        int    `short:"n" default:"1" help:"How many storage nodes to run."`
	TargetHelper string `default:"auto" enum:"auto,lio,tgt" help:"What exports the volumes: the kernel (lio), a tgtd of its own (tgt), or lio where the kernel can (auto)."`
	VolumeGroup  string `placeholder:"VG" help:"Keep the volumes in this LVM volume group. Default: sparse files."`
	Thin         bool   `help:"Make thin volumes, in the volume group's pool VG-pool."`
	Verbose      bool   `short:"v" help:"Show the log on the terminal instead of writing it to clinker.log."`
}

// dev is a running `clinker dev`.
type dev struct {
	devCommand
	postgres  *postgres.Server
	db        *db.DB
	lock      *os.File // see lockDirectory
	nodes     []*devNode
	scheduler string // endpoint of its registry
	running   sync.WaitGroup
	failed    chan error
}

// Run is kong's. It takes its steps one by one, tells of each, and ends
// everything it began, in the opposite order, when ctx ends or a part fails.
func (d devCommand) Run(ctx context.Context) error {
	if err := d.check(); err != nil {
		return err
	}
	run := &dev{devCommand: d, failed: make(chan error, 16)}
	running, cancel := context.WithCancel(ctx)
	err := run.start(running)
	if err == nil {
		run.welcome()
		select {
		case <-ctx.Done():
		case err = <-run.failed:
		}
	}
	if ctx.Err() != nil { // Ctrl-C: what failed after it failed because of it
		fmt.Println("\nstopping")
		err = nil
	}
	cancel()
	run.running.Wait()
	run.stop()
	return err
}

// start takes the steps.
func (d *dev) start(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(ctx context.Context) (detail string, err error)
	}{
		{"data directory", d.prepare},
		{"ports", d.checkPorts},
		{"PostgreSQL", d.startPostgres},
		{"database schema", d.migrate},
		{"certificates", d.makeCertificates},
		{"key file", d.makeKeyFile},
		{"identity", d.startIdentity},
		{"scheduler", d.startScheduler},
		{"storage nodes", d.startNodes},
		{"API", d.startAPI},
	} {
		detail, err := step.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Printf("  ok  %-16s %s\n", step.name, detail)
	}
	return nil
}

// part runs one of the parts until ctx ends; one that ends before has failed.
func (d *dev) part(ctx context.Context, name string, run func(ctx context.Context) error) {
	d.running.Go(func() {
		err := run(ctx)
		if ctx.Err() == nil {
			d.failed <- fmt.Errorf("the %s ended: %w", name, err)
		} else if err != nil {
			slog.WarnContext(ctx, "ended with an error", "part", name, "error", err)
		}
	})
}

// stop ends what is not a part: daemons and connections.
func (d *dev) stop() {
	for _, n := range d.nodes {
		n.targets.stop()
	}
	if d.db != nil {
		d.db.Close()
	}
	if d.postgres != nil {
		if err := d.postgres.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "clinker: PostgreSQL:", err)
		}
	}
	if d.lock != nil {
		_ = d.lock.Close()
	}
}

// prepare makes the data directory and sends the log there.
func (d *dev) prepare(context.Context) (string, error) {
	if d.Data == "" {
		d.Data = defaultData()
	}
	var err error
	if d.Data, err = filepath.Abs(d.Data); err != nil {
		return "", err
	}
	if err := os.MkdirAll(d.Data, 0o755); err != nil {
		return "", fault.New(fault.Forbidden, "%s cannot be made: choose another with --data", d.Data)
	}
	if d.lock, err = lockDirectory(d.Data); err != nil {
		return "", err
	}
	if err := checkRoom(d.Data); err != nil {
		return "", err
	}
	return d.Data, d.openLog()
}

func (d *dev) openLog() error {
	if d.Verbose {
		telemetry.Log(os.Stderr, slog.LevelInfo, false)
		return nil
	}
	log, err := os.OpenFile(filepath.Join(d.Data, "clinker.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	telemetry.Log(log, slog.LevelInfo, false)
	return nil
}

func defaultData() string {
	if os.Geteuid() == 0 {
		return "/var/lib/clinker"
	}
	if state := os.Getenv("XDG_STATE_HOME"); state != "" {
		return filepath.Join(state, "clinker")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "clinker-data"
	}
	return filepath.Join(home, ".local", "state", "clinker")
}

// startPostgres starts the private server and makes Clinker's database.
func (d *dev) startPostgres(ctx context.Context) (string, error) {
	var err error
	d.postgres, err = postgres.Start(ctx, postgres.Options{
		Directory: filepath.Join(d.Data, "postgres"), LogFile: filepath.Join(d.Data, "postgres.log"),
	})
	if err != nil {
		return "", err
	}
	d.part(ctx, "PostgreSQL server", func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case <-d.postgres.Exited():
			return fault.New(fault.Unavailable, "see %s", filepath.Join(d.Data, "postgres.log"))
		}
	})
	return fmt.Sprintf("a server of its own, process %d", d.postgres.PID()), d.postgres.EnsureDatabase(ctx, "clinker")
}

func (d *dev) migrate(ctx context.Context) (string, error) {
	var err error
	if d.db, err = db.Open(ctx, d.postgres.URL("clinker"), 40); err != nil {
		return "", err
	}
	if err := d.db.Migrate(ctx); err != nil {
		return "", err
	}
	if err := d.writeConfig(); err != nil {
		return "", err
	}
	applied, _, err := d.db.SchemaVersion(ctx)
	return fmt.Sprintf("version %d", applied), err
}

func (d *dev) makeCertificates(context.Context) (string, error) {
	dir := d.pkiDirectory()
	if _, err := pki.EnsureCA(dir); err != nil {
		return "", err
	}
	for _, role := range []pki.Role{pki.API, pki.Scheduler, pki.Volumed} {
		if _, _, err := pki.Issue(dir, string(role), role, "localhost", "127.0.0.1"); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// makeKeyFile makes what seals the keys of encrypted volumes.
func (d *dev) makeKeyFile(context.Context) (string, error) {
	cfg, err := d.config("")
	if err != nil {
		return "", err
	}
	_, err = keys.MakeFile(cfg.KeyManager.KeyFile)
	return cfg.KeyManager.KeyFile, err
}

func (d *dev) pkiDirectory() string { return filepath.Join(d.Data, "pki") }

// config is the configuration of one part: what dev decides, and more for that part.
func (d *dev) config(more string) (*conf.Config, error) {
	cfg, _, err := conf.Parse([]byte(d.settings() + more))
	return cfg, err
}
