// Command client measures a Block Storage v3 endpoint, any Cinder's:
//
//	. openrc
//	go run ./tempest/load/client
//	go run ./tempest/load/client --url http://127.0.0.1:8776/v3 --project ID --token T
//
// It makes volumes in the project, up to a few thousand of 1 GiB, and deletes
// them before it ends.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"clinker/tempest/load"
)

type client struct {
	URL          string        `name:"url" help:"Of the API, with /v3. Default: the catalog's."`
	Token        string        `env:"TOKEN" help:"Token to use; better given as TOKEN. Default: log in as OS_* say."`
	ServiceToken string        `env:"SERVICE_TOKEN" help:"Service token, for attachments of servers; better given as SERVICE_TOKEN."`
	Project      string        `env:"PROJECT" help:"Project id, with --token."`
	Volumes      int           `short:"n" default:"1000" help:"Volumes that the lists list."`
	Workers      []int         `short:"c" default:"1,16" help:"How many requests at once."`
	Duration     time.Duration `short:"d" default:"5s" help:"Of each phase."`
	Most         int           `help:"Volumes that a phase makes at most."`
	Poll         time.Duration `default:"2ms" help:"Between two looks at a volume that is awaited."`
	Limit        time.Duration `default:"2m" help:"After which a volume that is awaited is given up."`
	Phases       []string      `enum:"${phases}" placeholder:"PHASE" help:"Only some: ${enum}."`
	Type         string        `help:"Volume type."`
	RaiseQuota   bool          `help:"First lift the project's quota."`
	JSON         string        `name:"json" placeholder:"FILE" help:"Also write the numbers there."`
}

func main() {
	var c client
	kong.Parse(&c, kong.Name("client"), kong.Description("Measure a Block Storage v3 API."),
		kong.Vars{"phases": strings.Join(load.Phases, ",")})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := c.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func (c client) run(ctx context.Context) error {
	endpoint := load.At(c.URL, c.Project, c.Token, c.ServiceToken)
	if c.Token == "" {
		var err error
		if endpoint, err = load.LogIn(ctx, os.Getenv, c.URL, c.ServiceToken); err != nil {
			return err
		}
	}
	results, err := load.Run(ctx, endpoint, load.Options{
		Volumes: c.Volumes, Workers: c.Workers, Duration: c.Duration, Most: c.Most, Poll: c.Poll, Limit: c.Limit,
		Phases: c.Phases, Type: c.Type, Quota: c.RaiseQuota,
		Observe: func(phase string, workers int) func(*load.Result) {
			return func(r *load.Result) { fmt.Fprintf(os.Stderr, "%s × %d: %.1f/s\n", phase, workers, r.PerSecond) }
		},
	})
	if table := load.Table(os.Stdout, results); err == nil {
		err = table
	}
	if err != nil || c.JSON == "" {
		return err
	}
	file, err := os.Create(c.JSON)
	if err != nil {
		return err
	}
	defer file.Close()
	return load.JSON(file, results)
}
