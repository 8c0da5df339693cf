package rpc_test

import (
	"context"
	"time"

	"clinker/volumed/rpc"
)

// fake is a node whose every method is one function.
type fake struct {
	rpc.Volumed
	create    func(context.Context, rpc.Fence, string, int64, bool) (*rpc.Operation, error)
	copyImage func(context.Context, rpc.Fence, string, rpc.Image, int64) (*rpc.Operation, error)
	operation func(context.Context, string, time.Duration) (*rpc.Operation, error)
	grant     func(context.Context, rpc.Fence, string, string, rpc.Grant) (*rpc.Connection, error)
	revoke    func(context.Context, rpc.Fence, string, string) error
	stats     func(context.Context) (*rpc.Stats, error)
	stored    func(context.Context, string) ([]*rpc.Stored, error)
}

func (f fake) Create(ctx context.Context, fence rpc.Fence, pool string, bytes int64, blank bool) (*rpc.Operation, error) {
	return f.create(ctx, fence, pool, bytes, blank)
}

func (f fake) CopyImage(ctx context.Context, fence rpc.Fence, pool string, image rpc.Image, bytes int64) (*rpc.Operation, error) {
	return f.copyImage(ctx, fence, pool, image, bytes)
}

func (f fake) Operation(ctx context.Context, id string, wait time.Duration) (*rpc.Operation, error) {
	return f.operation(ctx, id, wait)
}

func (f fake) Grant(ctx context.Context, fence rpc.Fence, pool, volumeID string, g rpc.Grant) (*rpc.Connection, error) {
	return f.grant(ctx, fence, pool, volumeID, g)
}

func (f fake) Revoke(ctx context.Context, fence rpc.Fence, pool, volumeID string) error {
	return f.revoke(ctx, fence, pool, volumeID)
}

func (f fake) Stats(ctx context.Context) (*rpc.Stats, error) { return f.stats(ctx) }

func (f fake) Stored(ctx context.Context, pool string) ([]*rpc.Stored, error) {
	return f.stored(ctx, pool)
}
