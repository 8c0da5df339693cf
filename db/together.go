package db

import (
	"context"
	"sync"
	"time"
)

// together reads rows by id, in one statement for all who ask at about the same
// time: while statements are under way, who asks waits for the next one. A row
// is always read after it was asked for, so that nobody gets an answer that is
// older than their question, and who asks alone does not wait.
type together[T any] struct {
	// read gives what there is of the ids, of which there are at most askedAtOnce,
	// in any order.
	read func(ctx context.Context, ids []string) ([]T, error)

	mu      sync.Mutex
	running int
	next    *question[T] // what the next statement asks; nil for nothing
}

const (
	readsAtOnce = 2  // statements under way
	askedAtOnce = 16 // rows that a statement asks for
	readTime    = 30 * time.Second
)

// question is one statement's, for all who wait for it.
type question[T any] struct {
	ids  []string
	done chan struct{} // closed when there is an answer
	rows []T
	err  error
}

// ask gives the rows of a statement that asks for id, among others.
func (r *together[T]) ask(ctx context.Context, id string) ([]T, error) {
	q, send := r.join(id)
	if send {
		r.send(ctx, q)
	}
	select {
	case <-q.done:
		return q.rows, q.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join adds the id to the next statement, and tells whether it is now to be sent.
func (r *together[T]) join(id string) (q *question[T], send bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &question[T]{done: make(chan struct{})}
	}
	q = r.next
	q.ids = append(q.ids, id)
	if send = r.running < readsAtOnce || len(q.ids) == askedAtOnce; send {
		r.next = nil
		r.running++
	}
	return q, send
}

// send sends a statement, and sees to it that the next is sent when there is an
// answer. It belongs to all who asked: that the one who sends it leaves does not
// end it.
func (r *together[T]) send(ctx context.Context, q *question[T]) {
	ctx = context.WithoutCancel(ctx)
	r.answer(ctx, q)
	r.mu.Lock()
	defer r.mu.Unlock()
	if next := r.next; next != nil && r.running <= readsAtOnce {
		r.next = nil
		go r.send(ctx, next)
		return
	}
	r.running--
}

func (r *together[T]) answer(ctx context.Context, q *question[T]) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	defer close(q.done)
	q.rows, q.err = r.read(ctx, q.ids)
}
