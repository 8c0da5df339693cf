package scheduler

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// Announce implements rpc.Registry: a node says that it is there. A node that
// nobody has polled yet is polled at once. Conflict when another node, which is
// up, goes by the same host name: their volumes would be taken for each other's.
func (s *Scheduler) Announce(ctx context.Context, n rpc.Node) error {
	if n.Host == "" || n.Endpoint == "" || n.UUID == "" {
		return fault.New(fault.Invalid, "a node must name its host, its endpoint and its uuid")
	}
	if _, err := s.record(ctx, n); err != nil {
		return err
	}
	select {
	case s.unheard <- struct{}{}:
	default:
	}
	return nil
}

// record writes one services row for each backend of a node, and one if it keeps
// backups. It gives the ids of the backends' rows, by backend.
func (s *Scheduler) record(ctx context.Context, n rpc.Node) (map[string]string, error) {
	known, err := s.options.DB.Services(ctx, n.Host, db.DaemonVolume)
	if err != nil {
		return nil, err
	}
	for _, k := range known {
		if k.NodeUUID != nil && *k.NodeUUID != n.UUID && k.Up(time.Now(), s.options.ServiceDownTime) {
			slog.ErrorContext(ctx, "two storage nodes have the same host name; give one another", "host", n.Host,
				"node", *k.NodeUUID, "endpoint", k.Endpoint, "other_node", n.UUID, "other_endpoint", n.Endpoint)
			return nil, fault.New(fault.Conflict, "another storage node, %s, goes by the host name %s", *k.NodeUUID, n.Host)
		}
	}
	ids := map[string]string{}
	for _, backend := range n.Backends {
		if ids[backend], err = s.options.DB.Heartbeat(ctx, serviceOf(n, backend)); err != nil {
			return nil, err
		}
	}
	if n.BackupStore == "" {
		return ids, nil // its cinder-backup service, if it had one, grows old by itself
	}
	_, err = s.options.DB.Heartbeat(ctx, backupServiceOf(n))
	return ids, err
}

// backupServiceOf is the service that backs up and restores on a node that reaches
// a store.
func backupServiceOf(n rpc.Node) db.Service {
	s := serviceOf(n, "")
	s.Host, s.Daemon = n.Host, db.DaemonBackup
	s.BackupDriver, s.BackupStore, s.BackupContainer = n.BackupDriver, n.BackupStore, n.BackupContainer
	return s
}

func serviceOf(n rpc.Node, backend string) db.Service {
	return db.Service{
		Host: n.Host + "@" + backend, Daemon: db.DaemonVolume, AvailabilityZone: n.AvailabilityZone,
		Endpoint: n.Endpoint, NodeUUID: &n.UUID, Version: n.Version,
	}
}
