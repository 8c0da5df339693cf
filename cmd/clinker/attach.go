package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"clinker/carry"
	"clinker/internal/fault"
	"clinker/internal/telemetry"
)

// attachCommand brings a volume to this machine as a block device.
type attachCommand struct {
	Volume   string `arg:"" help:"Id or name."`
	ReadOnly bool   `help:"Have the target refuse writes."`
}

// Run is kong's.
func (a attachCommand) Run(ctx context.Context) error {
	host, err := thisHost(ctx)
	if err != nil {
		return err
	}
	device, err := host.Attach(ctx, a.Volume, carry.AttachOptions{ReadOnly: a.ReadOnly})
	if err == nil {
		fmt.Println(device)
	}
	return err
}

// thisHost is this machine, with the cloud that the environment (OS_*) or clouds.yaml names.
func thisHost(ctx context.Context) (*carry.Host, error) {
	if os.Geteuid() != 0 {
		return nil, fault.New(fault.Forbidden, "only root can have volumes attached to this machine: run it as root, with the OS_* variables, or OS_CLOUD")
	}
	telemetry.Log(os.Stderr, slog.LevelInfo, false)
	cloud, err := carry.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return carry.New(cloud, nil, carry.Options{}), nil
}
