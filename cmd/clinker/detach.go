package main

import "context"

// detachCommand takes a volume away from this machine.
type detachCommand struct {
	Volume string `arg:"" help:"Id or name."`
}

// Run is kong's.
func (d detachCommand) Run(ctx context.Context) error {
	host, err := thisHost(ctx)
	if err != nil {
		return err
	}
	return host.Detach(ctx, d.Volume)
}
