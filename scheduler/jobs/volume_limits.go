package jobs

import (
	"context"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// limit has a volume's node limit it as one of that type and size, if that is not
// what it is limited to as it is. The reason is why the node did not, "" when it did.
//
// It comes before the row says so, with the generation that the row has then: a host
// that is let in meanwhile, with what was read before, does not bring the old limits
// back. If the row does not get there, they are the node's until the next host is
// let in or the limits change again.
func (r *run) limit(ctx context.Context, v db.Volume, typeID string, sizeGiB int) (reason string, err error) {
	has, err := r.DB.AttachOptions(ctx, v.VolumeTypeID)
	if err != nil {
		return "", err
	}
	wanted, err := r.DB.AttachOptions(ctx, typeID)
	if err != nil || v.PoolID == nil || has.Limits(v.SizeGiB) == wanted.Limits(sizeGiB) {
		return "", err
	}
	where, err := r.whereIs(ctx, *v.PoolID)
	if err != nil {
		return "", err
	}
	err = r.limitOnNode(ctx, v, where, rpc.Limits(wanted.Limits(sizeGiB)))
	switch {
	case err == nil, ctx.Err() != nil, err == errAgain:
		return "", err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return "", err // the row is read again
	}
	return sentence(err), nil
}

// limitOnNode is limit's call; errAgain while the node does not answer.
func (r *run) limitOnNode(ctx context.Context, v db.Volume, where place, limits rpc.Limits) error {
	f := fence("limit", v)
	f.Generation++
	call, cancel := context.WithTimeout(ctx, r.FirstWait+time.Second)
	defer cancel()
	err := r.Nodes.Node(where.endpoint).Limit(call, f, where.pool, limits)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Timeout):
		return r.silence(err, r.Patience)
	}
	r.notes.SilentSince = nil
	return err
}
