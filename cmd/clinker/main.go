// Command clinker is the whole of Clinker in one binary: the API, the
// scheduler, the storage node's daemon, the machine side that brings volumes to
// a host, and `clinker dev`, which runs all of it on one machine.
//
// Each subcommand is one file here: what it takes from the command line and the
// configuration, and how it puts the parts together. The parts know nothing of
// either.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build: the tag or commit it was made from.
var version = "development"

// commands are all subcommands, and the flags that they share.
type commands struct {
	Config  string           `short:"c" placeholder:"FILE" default:"/etc/clinker/clinker.conf" env:"CLINKER_CONFIG" help:"Configuration file, in cinder.conf's format. Default: /etc/clinker/clinker.conf."`
	Version kong.VersionFlag `help:"Print the version and end."`

	Dev       devCommand       `cmd:"" help:"Run everything on this machine, for trying it out."`
	API       apiCommand       `cmd:"" name:"api" help:"Serve the REST API."`
	Scheduler schedulerCommand `cmd:"" help:"Place volumes and work on jobs."`
	Volumed   volumedCommand   `cmd:"" help:"Keep volumes on this storage node."`
	Identity  identityCommand  `cmd:"" help:"Serve the built-in identity, for those who have no Keystone."`

	Attach attachCommand `cmd:"" help:"Bring a volume to this machine as a block device."`
	Detach detachCommand `cmd:"" help:"Take a volume away from this machine again."`
	Watch  watchCommand  `cmd:"" help:"Tell when a volume of this machine is ready or has grown."`

	Job     jobCommand     `cmd:"" name:"job" help:"Look at what the schedulers are doing; cancel it, or begin it anew."`
	Backup  backupCommand  `cmd:"" name:"backup" help:"Look at a node's backup store, verify and restore without a control plane, and write records for one that has lost its database."`
	DB      dbCommand      `cmd:"" name:"db" help:"Look after the database."`
	Service serviceCommand `cmd:"" name:"service" help:"Look after the services of nodes and schedulers."`
	Export  exportCommand  `cmd:"" name:"export" help:"Look after exports of volumes that the database does not know."`
	PKI     pkiCommand     `cmd:"" name:"pki" help:"Make the certificates with which the parts know each other."`
	Keyfile keyfileCommand `cmd:"" help:"Make the key file of the local key store."`
	Policy  policyCommand  `cmd:"" help:"Show and check who may do what."`
	Routes  routesCommand  `cmd:"" help:"Print the API's operations, one a line."`
	Conf    confCommand    `cmd:"" help:"Show and check the configuration."`
}

func main() {
	var c commands
	parser := kong.Must(&c, kong.Name("clinker"),
		kong.Description("Block storage for virtual machines, with the API of OpenStack Cinder."),
		kong.ShortUsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": version})
	command, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	command.BindTo(ctx, (*context.Context)(nil))
	command.Bind(&c)
	err = command.Run()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "clinker:", err)
		os.Exit(1)
	}
}
