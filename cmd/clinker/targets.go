package main

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"

	"clinker/internal/conf"
	"clinker/volumed/target"
	"clinker/volumed/target/lio"
	"clinker/volumed/target/tgt"
)

// targets opens what exports a backend's volumes.
type targets interface {
	open(ctx context.Context, b *conf.Backend) (target.Target, error)
	// onRestart has again called whenever the exports were lost.
	onRestart(again func())
}

// systemTargets are those of a storage node: the kernel's, or the machine's tgtd.
type systemTargets struct{}

func (systemTargets) onRestart(func()) {}

func (systemTargets) open(ctx context.Context, b *conf.Backend) (target.Target, error) {
	switch b.TargetHelper {
	case "tgt":
		return openTgt(ctx, b, nil), nil
	case "auto":
		if err := lio.Available(); err != nil {
			return openTgt(ctx, b, err), nil
		}
	}
	return openLIO(b)
}

// openTgt uses a tgtd that somebody else keeps running, so that sessions
// outlive volumed. One that is not there yet may come later. notLIO says
// why it is not the kernel's, nil where that is not wanted.
func openTgt(ctx context.Context, b *conf.Backend, notLIO error) target.Target {
	t := tgt.New(tgt.Options{Socket: b.TgtSocket, Portals: portals(b), Prefix: b.TargetPrefix})
	if err := t.Answers(ctx); err != nil {
		log := slog.With("backend", b.Name, "tgt_socket", b.TgtSocket, "error", err)
		if notLIO != nil {
			log = log.With("not_lio", notLIO)
		}
		log.WarnContext(ctx, "no volume can be attached until tgtd runs: start it (Debian's package tgt), or set tgt_socket to its socket")
	}
	return t
}

func openLIO(b *conf.Backend) (target.Target, error) {
	if err := lio.Available(); err != nil {
		return nil, err
	}
	return lio.New(lio.Options{Portals: portals(b), Prefix: b.TargetPrefix}), nil
}

// portals are the addresses at which a backend's volumes are reached.
func portals(b *conf.Backend) []string {
	port := strconv.Itoa(b.TargetPort)
	all := []string{net.JoinHostPort(b.TargetIPAddress, port)}
	for _, address := range b.TargetSecondaryIPAddresses {
		all = append(all, net.JoinHostPort(address, port))
	}
	return all
}

// targetDirectory is where a node of dev keeps its tgtd's socket and log, in its
// own directory.
const targetDirectory = "tgtd"

// privateTargets are those of `clinker dev`: the kernel's where it can, else a
// tgtd of our own.
type privateTargets struct {
	dir    string // for the daemon's socket
	daemon *tgt.Daemon
	again  func()
}

func (p *privateTargets) onRestart(again func()) { p.again = again }

func (p *privateTargets) open(ctx context.Context, b *conf.Backend) (target.Target, error) {
	if b.TargetHelper == "lio" || b.TargetHelper == "auto" && lio.Available() == nil {
		return openLIO(b)
	}
	if p.daemon == nil {
		daemon, err := tgt.Start(ctx, tgt.DaemonOptions{
			Dir: filepath.Join(p.dir, targetDirectory), Portals: portals(b),
			Restarted: func(context.Context) {
				if p.again != nil {
					p.again()
				}
			},
		})
		if err != nil {
			return nil, err
		}
		p.daemon = daemon
	}
	return tgt.New(tgt.Options{Socket: p.daemon.Socket(), Prefix: b.TargetPrefix}), nil
}

func (p *privateTargets) stop() {
	if p.daemon != nil {
		p.daemon.Stop()
	}
}
