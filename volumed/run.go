package volumed

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"clinker/volumed/move"
	"clinker/volumed/rpc"
)

// Run restores the exports, serves calls on the listener, announces the node
// and does its chores, until ctx ends. Then it takes no more work, finishes
// what is under way within the drain timeout, and returns; exports stay as
// they are. The error is why it could not go on, nil after ctx ended. config
// must demand and verify client certificates, allow says which may call. Run
// is called once.
func (s *Server) Run(ctx context.Context, listener net.Listener, config *tls.Config, allow rpc.PeerCheck) error {
	chores, stop := context.WithCancel(ctx)
	defer listener.Close()
	defer func() { _ = endsWithin(heed, s.lender.Close) }() // who reads a disk that hangs does not end
	defer s.work.stop(s.options.DrainTimeout)
	var running sync.WaitGroup
	defer func() { _ = endsWithin(heed, running.Wait) }() // chores have nothing to lose
	defer stop()
	for name, p := range s.pools {
		running.Go(func() {
			if s.open(chores, name, p) && s.waitHeard(chores) {
				s.wipe(chores, name, p)
			}
		})
	}
	if err := s.restoreSoon(chores, &running); err != nil {
		return err
	}
	running.Go(func() { s.check(chores) })
	running.Go(func() { s.openBackups(chores) })
	running.Go(func() { s.announce(chores) })
	return s.serve(ctx, tls.NewListener(listener, config), allow)
}

// restoreSoon restores the exports and waits for it, but not for ever: a target
// that hangs does not keep the node from serving the others.
func (s *Server) restoreSoon(ctx context.Context, running *sync.WaitGroup) error {
	ended := make(chan error, 1)
	running.Go(func() { ended <- s.restore(ctx) })
	patience := time.NewTimer(restorePatience)
	defer patience.Stop()
	select {
	case err := <-ended:
		return err
	case <-patience.C:
		slog.WarnContext(ctx, "exports are still being restored; calls are served meanwhile")
	case <-ctx.Done():
	}
	return nil
}

// serve answers calls until ctx ends.
func (s *Server) serve(ctx context.Context, listener net.Listener, allow rpc.PeerCheck) error {
	mux := http.NewServeMux()
	mux.Handle(rpc.VolumedPath, rpc.Handler(s, allow))
	mux.Handle(move.Path, s.lender) // it says itself who may read what
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelInfo),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.work.refuse()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.DrainTimeout)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		server.Close()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
