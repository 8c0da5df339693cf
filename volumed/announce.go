package volumed

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// announceLimit bounds one try to reach one scheduler.
const announceLimit = 5 * time.Second

// announce tells a scheduler that the node is there, every report interval,
// and sooner while none has heard it. Any scheduler will do: they share their
// knowledge.
func (s *Server) announce(ctx context.Context) {
	if len(s.options.Schedulers) == 0 {
		close(s.heard)
		return
	}
	tell := sync.OnceFunc(func() { close(s.heard) })
	heard, next, retry := true, 0, firstRetry
	for {
		at, err := s.announceOnce(ctx, next)
		if ctx.Err() != nil {
			return
		}
		if (err == nil) != heard {
			logAnnounced(ctx, err)
		}
		heard, next = err == nil, at
		delay := s.options.ReportInterval
		if heard {
			tell()
			retry = firstRetry
		} else {
			delay, retry = min(retry, delay), min(2*retry, delay)
		}
		if !pause(ctx, delay) {
			return
		}
	}
}

// waitHeard waits until a scheduler has heard the node, which it does not while another
// node of the same name is up: before, what looks like trash may be what that one is
// making, on disks that both have. False when ctx ended first.
func (s *Server) waitHeard(ctx context.Context) bool {
	select {
	case <-s.heard:
		return true
	case <-ctx.Done():
		return false
	}
}

// announceOnce tries every scheduler, the last that heard first, and tells
// which one heard.
func (s *Server) announceOnce(ctx context.Context, first int) (int, error) {
	var err error
	for i := range s.options.Schedulers {
		at := (first + i) % len(s.options.Schedulers)
		try, cancel := context.WithTimeout(ctx, announceLimit)
		err = s.options.Clients.Registry(s.options.Schedulers[at]).Announce(try, s.self())
		cancel()
		if err == nil {
			return at, nil
		}
	}
	return first, err
}

func logAnnounced(ctx context.Context, err error) {
	if err != nil {
		slog.WarnContext(ctx, "no scheduler hears this node", "error", err)
		return
	}
	slog.InfoContext(ctx, "a scheduler hears this node")
}
