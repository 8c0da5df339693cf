package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"clinker/internal/conf"
	"clinker/internal/fault"
	"clinker/internal/pki"
	"clinker/volumed"
	"clinker/volumed/diskio"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
)

// volumedCommand keeps volumes on a storage node until it is told to end. The
// exports stay when it ends.
type volumedCommand struct{}

// Run is kong's.
func (volumedCommand) Run(ctx context.Context, c *commands) error {
	saveMemory()
	cfg, err := c.load(ctx)
	if err != nil {
		return err
	}
	address := net.JoinHostPort(cfg.Clinker.VolumedListen, strconv.Itoa(cfg.Clinker.VolumedPort))
	listener, err := listenTCP(ctx, address, "[clinker] volumed_listen, volumed_port")
	if err != nil {
		return err
	}
	go followCertificate(ctx, cfg, pki.Volumed)
	slog.InfoContext(ctx, "starting as a storage node", "address", listener.Addr().String(), "backends", cfg.EnabledBackends)
	return serveNode(ctx, cfg, listener, cfg.Clinker.VolumedEndpoint, cfg.Clinker.SchedulerEndpoints, systemTargets{})
}

// serveNode runs a storage node on the listener until ctx ends.
func serveNode(ctx context.Context, cfg *conf.Config, listener net.Listener, endpoint string, schedulers []string, targets targets) error {
	if err := os.MkdirAll(cfg.StatePath, 0o700); err != nil {
		return fault.Wrap(err, fault.Invalid, "[DEFAULT] state_path cannot be made")
	}
	j, err := journal.Open(filepath.Join(cfg.StatePath, "volumed.db"))
	if err != nil {
		return err
	}
	defer j.Close()
	pools, err := openPools(ctx, cfg, targets)
	if err != nil {
		return err
	}
	host, err := nodeHost(cfg)
	if err != nil {
		return err
	}
	copier, err := newCopier(cfg, host)
	if err != nil {
		return err
	}
	backups, err := newBackups(cfg)
	if err != nil {
		return err
	}
	clients, err := clientTLS(cfg, pki.Volumed, pki.Scheduler)
	if err != nil {
		return err
	}
	peers, err := clientTLS(cfg, pki.Volumed, pki.Volumed)
	if err != nil {
		return err
	}
	// Other storage nodes fetch what they were lent; Thrift is not for them.
	serving, err := serverTLS(cfg, pki.Volumed, pki.API, pki.Scheduler, pki.Volumed)
	if err != nil {
		return err
	}
	sampler := diskio.New(diskio.Options{})
	sampler.Start(ctx)
	server, err := volumed.New(volumed.Options{
		Node:  rpc.Node{Host: host, Endpoint: endpoint, Version: version, AvailabilityZone: cfg.StorageAvailabilityZone},
		Pools: pools, Journal: j, DiskIO: sampler, Copier: copier, CompressUploads: cfg.Glance.CompressOnUpload, Backups: backups, Peers: peers,
		Clients: rpc.NewPool(clients), Schedulers: schedulers, ReportInterval: cfg.Scheduler.ReportInterval,
	})
	if err != nil {
		return err
	}
	targets.onRestart(server.Recheck)
	return server.Run(ctx, listener, serving, allow(pki.API, pki.Scheduler))
}

// nodeHost is the host part of the pools' names. A node has one, so that all
// its backends must agree where backend_host replaces it.
func nodeHost(cfg *conf.Config) (string, error) {
	host := cfg.Host
	for i, b := range cfg.Backends {
		if i > 0 && b.BackendHost != host {
			return "", fault.New(fault.Invalid, "[%s] backend_host = %s: all backends of one volumed need the same; run another volumed for this one", b.Name, b.BackendHost)
		}
		host = b.BackendHost
	}
	return host, nil
}
