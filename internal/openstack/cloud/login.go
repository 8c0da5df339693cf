package cloud

import (
	"context"
	"sync/atomic"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
)

// Login is the service user's: made when it is first needed, and kept. May be used
// by many goroutines at once.
type Login struct {
	connect func(context.Context) (*gophercloud.ProviderClient, error)
	turn    chan struct{}                              // one logs in at a time
	client  atomic.Pointer[gophercloud.ProviderClient] // nil until the first login succeeds
}

// NewLogin makes one out of what logs in; it is not called yet.
func NewLogin(connect func(context.Context) (*gophercloud.ProviderClient, error)) *Login {
	return &Login{connect: connect, turn: make(chan struct{}, 1)}
}

// Client gives the service user's client, which knows the catalog and renews its
// token by itself. The error is connect's; the next call tries again. Unavailable
// when ctx ends while another logs in: who waits for a Keystone that is silent does
// so no longer than they would alone.
func (l *Login) Client(ctx context.Context) (*gophercloud.ProviderClient, error) {
	if client := l.client.Load(); client != nil {
		return client, nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, fault.Wrap(ctx.Err(), fault.Unavailable, "The identity service does not answer; try again later.")
	}
	if client := l.client.Load(); client != nil {
		return client, nil
	}
	client, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	l.client.Store(client)
	return client, nil
}
