package cloud

import (
	"context"
	"errors"
	"testing"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
)

// TestLoginIsWaitedForNoLonger: while one waits for a Keystone that is silent, others
// give up when their own time has come.
func TestLoginIsWaitedForNoLonger(t *testing.T) {
	t.Parallel()
	begun, gate := make(chan struct{}), make(chan struct{})
	made := &gophercloud.ProviderClient{}
	l := NewLogin(func(context.Context) (*gophercloud.ProviderClient, error) {
		close(begun)
		<-gate
		return made, nil
	})
	first := make(chan *gophercloud.ProviderClient)
	go func() {
		client, _ := l.Client(t.Context())
		first <- client
	}()
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Client(ctx); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	close(gate)
	if client := <-first; client != made {
		t.Error("the first has no client")
	}
	if client, err := l.Client(t.Context()); client != made || err != nil {
		t.Error("it is not kept", err)
	}
}

// TestLoginIsTriedAgain: a failure is nobody's but who met it.
func TestLoginIsTriedAgain(t *testing.T) {
	t.Parallel()
	tries := 0
	l := NewLogin(func(context.Context) (*gophercloud.ProviderClient, error) {
		if tries++; tries == 1 {
			return nil, errors.New("no answer")
		}
		return &gophercloud.ProviderClient{}, nil
	})
	if _, err := l.Client(t.Context()); err == nil {
		t.Error("logged in")
	}
	if _, err := l.Client(t.Context()); err != nil {
		t.Error(err)
	}
}
