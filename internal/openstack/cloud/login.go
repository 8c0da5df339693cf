package cloud

import (
	"context"
	"sync"

	"github.com/gophercloud/gophercloud/v2"
)

// Login is the service user's: made when it is first needed, and kept. May be used
// by many goroutines at once.
type Login struct {
	connect func(context.Context) (*gophercloud.ProviderClient, error)

	mu     sync.Mutex
	client *gophercloud.ProviderClient // nil until the first login succeeds
}

// NewLogin makes one out of what logs in; it is not called yet.
func NewLogin(connect func(context.Context) (*gophercloud.ProviderClient, error)) *Login {
	return &Login{connect: connect}
}

// Client gives the service user's client, which knows the catalog and renews its
// token by itself. The error is connect's; the next call tries again.
func (l *Login) Client(ctx context.Context) (*gophercloud.ProviderClient, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client == nil {
		client, err := l.connect(ctx)
		if err != nil {
			return nil, err
		}
		l.client = client
	}
	return l.client, nil
}
