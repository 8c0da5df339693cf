package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"clinker/carry"
)

// watchCommand looks after this machine's volumes and tells what happens.
type watchCommand struct {
	JSON bool `name:"json" help:"One JSON object a line."`
}

// Run is kong's.
func (w watchCommand) Run(ctx context.Context) error {
	host, err := thisHost(ctx)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(os.Stdout)
	return host.Watch(ctx, func(e carry.Event) {
		if w.JSON {
			_ = lines.Encode(e) // nobody reads any more; Ctrl-C will follow
			return
		}
		fmt.Println(e.News, e.VolumeName, e.VolumeID, e.Device, e.Reason)
	})
}
