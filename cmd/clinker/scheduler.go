package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strconv"

	"clinker/db"
	"clinker/internal/conf"
	"clinker/internal/pki"
	"clinker/scheduler"
	"clinker/scheduler/jobs"
	"clinker/scheduler/placement"
)

// init makes the weighers' options known.
func init() {
	for _, m := range placement.Multipliers() {
		conf.Declare(conf.Number(m))
	}
}

// schedulerCommand places volumes and works on jobs until it is told to end.
type schedulerCommand struct{}

// Run is kong's.
func (schedulerCommand) Run(ctx context.Context, c *commands) error {
	saveMemory()
	cfg, err := c.load(ctx)
	if err != nil {
		return err
	}
	d, err := openDatabase(ctx, cfg, db.LazyCommits, db.PlanOnce)
	if err != nil {
		return err
	}
	defer d.Close()
	s, err := newScheduler(cfg, d)
	if err != nil {
		return err
	}
	listener, err := listenTCP(ctx, net.JoinHostPort(cfg.Clinker.SchedulerListen, strconv.Itoa(cfg.Clinker.SchedulerPort)), "[clinker] scheduler_listen, scheduler_port")
	if err != nil {
		return err
	}
	go followCertificate(ctx, cfg, pki.Scheduler)
	slog.InfoContext(ctx, "scheduling", "address", listener.Addr().String())
	return serveScheduler(ctx, cfg, s, listener)
}

// newScheduler puts the scheduler together from the configuration.
func newScheduler(cfg *conf.Config, d *db.DB) (*scheduler.Scheduler, error) {
	nodes, err := nodeClients(cfg, pki.Scheduler)
	if err != nil {
		return nil, err
	}
	placer, err := newPlacer(cfg)
	if err != nil {
		return nil, err
	}
	runner := jobs.Runner{MessageTTL: cfg.API.MessageTTL, Limits: limits(cfg.Quota),
		InternalProject: cfg.Glance.InternalProject, InternalUser: cfg.Glance.InternalUser,
		VerifySignatures: verifySignatures(cfg), ImageTries: cfg.Glance.NumRetries + 1}
	images, err := newImages(cfg, 0) // a job that is tried again asks again
	if err != nil {
		return nil, err
	}
	if images != nil {
		runner.Images = images
	}
	if c := newCompute(cfg); c != nil {
		runner.Compute = c
	}
	store, err := newKeys(cfg, d)
	if err != nil {
		return nil, err
	}
	runner.Keys = store
	return scheduler.New(scheduler.Options{
		DB: d, Nodes: nodes, Placer: placer, Host: cfg.Host, Keys: store,
		Zone: cfg.StorageAvailabilityZone, Version: version,
		ServiceDownTime: cfg.Scheduler.ServiceDownTime,
		Jobs:            runner,
	})
}

// newPlacer puts the placer together.
func newPlacer(cfg *conf.Config) (*placement.Placer, error) {
	multipliers := map[string]float64{}
	for weigher, m := range placement.Multipliers() {
		multipliers[weigher] = cfg.Number(m.Name)
	}
	return placement.New(placement.Options{
		Filters: cfg.Scheduler.DefaultFilters, Weighers: cfg.Scheduler.DefaultWeighers,
		Multipliers: multipliers,
	})
}

// serveScheduler runs the scheduler, and on the listener lets nodes announce
// themselves, until ctx ends or either fails.
func serveScheduler(ctx context.Context, cfg *conf.Config, s *scheduler.Scheduler, listener net.Listener) error {
	config, err := serverTLS(cfg, pki.Scheduler, pki.Volumed)
	if err != nil {
		return err
	}
	registry := s.RegistryHandler(allow(pki.Volumed))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- serveHTTP(ctx, tls.NewListener(listener, config), registry) }()
	go func() { ended <- s.Run(ctx) }()
	err = <-ended
	cancel()
	if other := <-ended; err == nil {
		err = other
	}
	return err
}
