package pace

import (
	"context"

	"clinker/internal/fault"
)

// Copy is one copy's share of a budget. It may be used by many goroutines at once,
// and all of them together have one place in the line.
type Copy struct {
	budget *Budget
	line   chan struct{} // has one place; who has it may use credit
	credit int64         // bytes of the last turn that have not been moved
}

// Copy gives a new copy its share.
func (b *Budget) Copy() *Copy { return &Copy{budget: b, line: make(chan struct{}, 1)} }

type key struct{}

// With gives work its share: what it moves it Spends.
func With(ctx context.Context, c *Copy) context.Context { return context.WithValue(ctx, key{}, c) }

// Spend waits until work may move that many bytes, by the share in its context. It
// is to be called before they are moved, and costs next to nothing where there is
// no bound. Timeout when ctx ended first.
func Spend(ctx context.Context, bytes int64) error {
	if c, ok := ctx.Value(key{}).(*Copy); ok {
		return c.Spend(ctx, bytes)
	}
	return cut(ctx, ctx.Err())
}

// bounded tells whether Spend could make this work wait.
func bounded(ctx context.Context) bool {
	c, ok := ctx.Value(key{}).(*Copy)
	return ok && c.budget != nil
}

// Spend waits until the copy may move that many bytes. Timeout when ctx ended
// first.
func (c *Copy) Spend(ctx context.Context, bytes int64) error {
	if c.budget == nil {
		return cut(ctx, ctx.Err())
	}
	for bytes > 0 {
		part := min(bytes, c.budget.turn)
		if err := c.take(ctx, part); err != nil {
			return err
		}
		bytes -= part
	}
	return cut(ctx, ctx.Err())
}

// take takes bytes of the last turn, or of a whole new one: small pieces would
// else get less of the budget than large ones.
func (c *Copy) take(ctx context.Context, bytes int64) error {
	select {
	case c.line <- struct{}{}:
	case <-ctx.Done():
		return cut(ctx, ctx.Err())
	}
	defer func() { <-c.line }()
	for c.credit < bytes {
		if err := c.budget.Spend(ctx, c.budget.turn); err != nil {
			return err
		}
		c.credit += c.budget.turn
	}
	c.credit -= bytes
	return nil
}

// cut is the fault for work whose context ended, or will before its turn comes.
func cut(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if fault.Is(err, fault.Timeout) {
		return err
	}
	return fault.Wrap(err, fault.Timeout, "the copy was cut short")
}
