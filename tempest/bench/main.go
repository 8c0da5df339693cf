package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"clinker/tempest/load"
)

// A child is told to end when the thread that made it does; this one stays.
func init() { runtime.LockOSThread() }

type bench struct {
	Binary        string        `default:"build/clinker" help:"The program to measure."`
	Volumes       int           `short:"n" default:"1000" help:"Volumes that the lists list."`
	Workers       []int         `short:"c" default:"1,16" help:"How many requests at once."`
	Duration      time.Duration `short:"d" default:"5s" help:"Of each phase."`
	Poll          time.Duration `default:"2ms" help:"Between two looks at a volume that is awaited."`
	Phases        []string      `enum:"${phases}" placeholder:"PHASE" help:"Only some: ${enum}."`
	PagingVolumes int           `default:"100000" placeholder:"N" help:"In how many volumes the phase paging looks for pages."`
	RatesSize     int64         `default:"1" placeholder:"GIB" help:"How large the volumes are that the phase rates copies."`
	RatesKinds    []string      `enum:"raw,qcow2,clone,backup,restore,migration" placeholder:"KIND" help:"Only some kinds of copies: ${enum}."`
	RatesRounds   int           `default:"3" placeholder:"N" help:"How often it copies each."`
	Peer          string        `placeholder:"URL" help:"Another Cinder, with /v3, to measure in the same run; who asks is in OS_* and SERVICE_TOKEN."`
	Thick         bool          `help:"Also measure thick LVM in the testbed."`
	Only          bool          `help:"With --thick: nothing else."`
	Rounds        int           `default:"20" help:"Volumes made in the testbed."`
	JSON          string        `name:"json" placeholder:"FILE" help:"Also write the numbers there."`
	Keep          string        `placeholder:"DIR" help:"Work in this directory and leave it."`
}

func main() {
	var b bench
	kong.Parse(&b, kong.Name("bench"), kong.Description("Measure Clinker on this machine."),
		kong.Vars{"phases": strings.Join(append(slices.Clone(load.Phases), paging, rates), ",")})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := b.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context) error {
	dir, remove, err := b.directory()
	if err != nil {
		return err
	}
	defer remove()
	report := &report{Machine: describeMachine(), Volumes: b.Volumes}
	if !b.Only && !slices.Equal(b.Phases, []string{rates}) {
		err = b.host(ctx, dir, report)
	}
	if !b.Only && b.wants(rates) && err == nil && ctx.Err() == nil {
		if report.Rates, err = b.rates(ctx, dir+"-rates"); err != nil {
			err = fmt.Errorf("rates: %w", err)
		}
	}
	if b.Thick && err == nil && ctx.Err() == nil {
		if report.Thick, err = b.thick(ctx, dir+"-thick"); err != nil {
			err = fmt.Errorf("thick LVM: %w", err)
		}
	}
	// What was measured before something went wrong is measured all the same.
	return errors.Join(report.print(os.Stdout), report.save(b.JSON), err)
}

// directory is where everything lives: with a short path, for Unix sockets, and
// open to PostgreSQL's user.
func (b *bench) directory() (dir string, remove func(), err error) {
	if b.Keep != "" {
		return b.Keep, func() {}, os.MkdirAll(b.Keep, 0o755)
	}
	if dir, err = os.MkdirTemp("", "clinker-bench-"); err != nil {
		return "", nil, err
	}
	remove = func() { _ = errors.Join(os.RemoveAll(dir), os.RemoveAll(dir+"-thick"), os.RemoveAll(dir+"-rates")) }
	return dir, remove, os.Chmod(dir, 0o755)
}

// host measures the roles on this machine, and the peer.
func (b *bench) host(ctx context.Context, dir string, report *report) error {
	c, err := startCloud(ctx, dir, b.Binary)
	if c != nil {
		defer c.stop()
	}
	if err != nil {
		return err
	}
	report.APIStart = c.apiStart.Seconds()
	m := newMeter(c)
	m.idle(ctx)
	if len(b.Phases) == 0 || len(b.options(nil).Phases) > 0 {
		report.Results, err = load.Run(ctx, c.endpoint, b.options(m.observe))
	}
	report.Usage = m.usage
	if err == nil && b.wants(paging) {
		if report.Paging, err = b.paging(ctx, c); err != nil {
			err = fmt.Errorf("paging: %w", err)
		}
	}
	if err != nil || b.Peer == "" {
		return err
	}
	peer, err := load.LogIn(ctx, os.Getenv, b.Peer, os.Getenv("SERVICE_TOKEN"))
	if err != nil {
		return fmt.Errorf("the peer: %w", err)
	}
	report.Peer, err = load.Run(ctx, peer, b.options(nil))
	return err
}

// paging is the phase that is not the load client's, for it writes rows itself.
const paging = "paging"

func (b *bench) wants(phase string) bool {
	return len(b.Phases) == 0 || slices.Contains(b.Phases, phase)
}

func (b *bench) options(observe func(string, int) func(*load.Result)) load.Options {
	phases := slices.DeleteFunc(slices.Clone(b.Phases), func(phase string) bool { return phase == paging || phase == rates })
	return load.Options{Volumes: b.Volumes, Workers: b.Workers, Duration: b.Duration, Poll: b.Poll,
		Limit: 2 * time.Minute, Phases: phases, Observe: observe}
}
