package reconcile

import (
	"context"
	"errors"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// Stranger is an export whose attachment the database has never heard of: it was made
// by a database that is lost, or after the copy that this one was restored from. Nothing
// revokes it by itself, for a virtual machine may be at work there; and while it is
// there its volume cannot be managed, and should be attached nowhere else.
type Stranger struct {
	Pool db.PoolService
	*rpc.Export
}

// Strangers asks all storage nodes. Those that do not answer are in the error, beside
// what the others have. It changes nothing.
func Strangers(ctx context.Context, d *db.DB, nodes Nodes) (all []Stranger, failed error) {
	pools, err := d.Pools(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range pools {
		exports, err := nodes.Node(p.Service.Endpoint).Exports(ctx, rpc.PoolOf(p.Name))
		if err != nil {
			failed = errors.Join(failed, fault.Wrap(err, fault.CodeOf(err), "%s does not tell its exports", p.Name))
			continue
		}
		known, err := attachmentsOf(ctx, d, exports)
		if err != nil {
			return nil, err
		}
		for _, e := range exports {
			if _, ok := known[e.AttachmentID]; !ok {
				all = append(all, Stranger{p, e})
			}
		}
	}
	return all, failed
}

// Revoke cuts the stranger's host off. It may be repeated.
func (s Stranger) Revoke(ctx context.Context, nodes Nodes) error {
	f := revokeFence(db.Attachment{ID: s.AttachmentID, Generation: s.Generation + 1})
	return nodes.Node(s.Pool.Service.Endpoint).Revoke(ctx, f, rpc.PoolOf(s.Pool.Name), s.VolumeID)
}
