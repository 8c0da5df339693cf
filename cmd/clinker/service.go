package main

import (
	"context"
	"fmt"

	"clinker/db"
	"clinker/internal/conf"
)

// serviceCommand looks after the services that openstack volume service list shows.
type serviceCommand struct {
	Remove serviceRemove `cmd:"" help:"Remove for good a service that is down and has nothing on it."`
}

type serviceRemove struct {
	Binary string `arg:"" enum:"cinder-volume,cinder-backup,cinder-scheduler" help:"cinder-volume, cinder-backup or cinder-scheduler."`
	Host   string `arg:"" help:"As the list has it: node1@lvm."`
}

// Run is kong's.
func (s serviceRemove) Run(ctx context.Context, c *commands) error {
	return withDatabase(ctx, c, func(d *db.DB, cfg *conf.Config) error {
		err := d.RemoveService(ctx, s.Binary, s.Host, cfg.Scheduler.ServiceDownTime)
		if err == nil {
			fmt.Printf("%s on %s is removed\n", s.Binary, s.Host)
		}
		return err
	})
}
