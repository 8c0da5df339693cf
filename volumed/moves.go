package volumed

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/move"
	"clinker/volumed/rpc"
)

// Lend implements rpc.Volumed. Nothing of a loan is kept on the disk: whoever
// moves the volume lends it again, as long as that goes on.
func (s *Server) Lend(ctx context.Context, f rpc.Fence, poolName string, bytes int64, reader string, token rpc.Secret) error {
	p, fence, err := s.admit(f, poolName, false, checkBytes(bytes))
	if err != nil {
		return err
	}
	return s.work.detached(ctx, func(ctx context.Context) error {
		release, err := s.locks.acquire(ctx, want{space: exportOf, id: f.ResourceID})
		if err != nil {
			return err
		}
		defer release()
		if err := s.unexported(ctx, f.ResourceID, poolName); err != nil {
			return err
		}
		path, release, err := s.device(ctx, p, f.ResourceID)
		if err != nil {
			return err
		}
		defer release()
		if err := s.journal.Accept(fence); err != nil {
			return err
		}
		return s.lender.Lend(move.Loan{Volume: f.ResourceID, Generation: f.Generation, Pool: poolName, Path: path,
			Bytes: bytes, Reader: reader, Token: move.Token(token)}, s.copyBudget(poolName).Copy())
	})
}

// MoveIn implements rpc.Volumed. Between two pools of this node the volume's own
// lock keeps everybody else out of both.
func (s *Server) MoveIn(ctx context.Context, f rpc.Fence, poolName string, from rpc.Lender, bytes int64) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, false, checkBytes(bytes))
	own := from.NodeUUID == s.node.UUID
	if err == nil && s.options.Peers == nil && !own {
		err = fault.New(fault.Unsupported, "this node has no certificate for other nodes and cannot fetch volumes")
	}
	if err != nil {
		return nil, err
	}
	remote := move.Remote{Endpoint: from.Endpoint, Volume: f.ResourceID, Generation: from.Generation, Token: move.Token(from.Token)}
	return s.work.run(ctx, task{
		kind: "move_in", fence: fence, limit: copyLimit, total: bytes,
		locks: []want{{space: storageOf, id: f.ResourceID}},
		do: func(ctx context.Context, o *operation) error {
			defer ring(p.wipe) // a copy that failed leaves something behind
			write := func(ctx context.Context, path string, blank bool) error {
				if own {
					return s.puller.PullOwn(ctx, s.lender, remote, path, bytes, blank, o.bytesDone.Store)
				}
				return s.puller.Pull(ctx, remote, path, bytes, blank, o.bytesDone.Store)
			}
			return p.Storage.Import(ctx, backend.VolumeName(f.ResourceID), bytes, write)
		},
	})
}
