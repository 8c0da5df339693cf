package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"clinker/db"
	"clinker/volumed/rpc"
)

// pollTimeout is how long a node may take to tell its stats.
const pollTimeout = 10 * time.Second

// poll asks the nodes that are due, until ctx ends: at intervals, and when one
// was heard of.
func (s *Scheduler) poll(ctx context.Context) {
	// Asked more often than they are due, so that what another scheduler
	// leaves undone is not found out a whole interval later.
	ticker := time.NewTicker(s.options.PollInterval / 4)
	defer ticker.Stop()
	var polls sync.WaitGroup
	defer polls.Wait()
	for {
		s.pollDue(ctx, &polls)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.unheard:
		}
	}
}

// pollDue takes the backends whose turn it is and asks each of their nodes
// once, all at the same time.
func (s *Scheduler) pollDue(ctx context.Context, polls *sync.WaitGroup) {
	due, err := s.options.DB.TakePolls(ctx, s.options.PollInterval)
	if ctx.Err() != nil {
		return
	}
	if s.polling.Turned(err) && err != nil {
		slog.WarnContext(ctx, "the nodes to poll could not be read", "error", err)
	}
	if err != nil {
		return
	}
	asked := map[string]bool{}
	for _, service := range due {
		if !asked[service.Endpoint] {
			asked[service.Endpoint] = true
			polls.Go(func() { s.pollNode(ctx, service) })
		}
	}
}

// pollNode asks one node and writes what it says. A node that is silent is
// left alone: its heartbeat grows old by itself.
func (s *Scheduler) pollNode(ctx context.Context, service db.Service) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	stats, err := s.options.Nodes.Node(service.Endpoint).Stats(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return // this scheduler stops
	}
	if s.turned(service.Endpoint, err == nil) {
		logAnswer(ctx, service, err)
	}
	if err != nil {
		return
	}
	if err := s.recordStats(ctx, *stats.Node, stats.Pools); err != nil && ctx.Err() == nil {
		slog.WarnContext(ctx, "what a node said could not be kept", "service", service.Host, "error", err)
	}
}

// turned tells whether a node that answered does not any more, or the other way
// round: what stays as it is, is not worth a line every few seconds.
func (s *Scheduler) turned(endpoint string, answers bool) bool {
	before, known := s.answers.Swap(endpoint, answers)
	return !known && !answers || known && before != answers
}

func logAnswer(ctx context.Context, service db.Service, err error) {
	if err != nil {
		slog.WarnContext(ctx, "node cannot be polled", "service", service.Host, "endpoint", service.Endpoint, "error", err)
		return
	}
	slog.InfoContext(ctx, "node can be polled again", "service", service.Host, "endpoint", service.Endpoint)
}

// recordStats writes the node's answer: it lives, and its pools are so. A pool
// that its node left out keeps its old figures, and its age tells.
func (s *Scheduler) recordStats(ctx context.Context, n rpc.Node, pools []*rpc.Pool) error {
	ids, err := s.record(ctx, n)
	if err != nil {
		return err
	}
	for _, p := range pools {
		id, known := ids[p.Backend]
		if !known {
			slog.WarnContext(ctx, "node tells of a pool of a backend that it does not name", "host", n.Host, "backend", p.Backend)
			continue
		}
		if err := s.options.DB.RecordPoll(ctx, poolRow(n, id, p)); err != nil {
			return err
		}
	}
	return nil
}

func poolRow(n rpc.Node, serviceID string, p *rpc.Pool) db.Pool {
	return db.Pool{
		ServiceID: serviceID, Name: n.Host + "@" + rpc.PoolName(p.Backend, p.Name), AvailabilityZone: p.AvailabilityZone,
		TotalBytes: p.TotalBytes, FreeBytes: p.FreeBytes, OtherBytes: max(p.ProvisionedBytes-p.LiveBytes, 0),
		Thin: p.Thin, MaxOverSubscriptionRatio: p.MaxOverSubscriptionRatio, ReservedPercentage: int(p.ReservedPercentage),
		StorageProtocol: p.StorageProtocol, Capabilities: p.Capabilities,
		IOBusyShare: p.Io.BusyShare, IOOperationsPerSecond: p.Io.OperationsPerSecond,
		IOBytesPerSecond: p.Io.BytesPerSecond, IOMeanWaitMS: p.Io.MeanWaitMs,
	}
}
