package lvm

import (
	"context"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"clinker/internal/fault"
)

// readTimeout bounds what goes on when the one who asked for it has gone away.
const readTimeout = time.Minute

// cached keeps a reading for a while. Callers that come while a reading is under
// way share it, unless drop was called after it began.
type cached[T any] struct {
	read func(context.Context) (T, error)
	age  time.Duration

	flights singleflight.Group
	mutex   sync.Mutex
	epoch   int // raised by drop
	value   T
	until   time.Time // the value is good before this
}

// drop makes the next get read anew.
func (c *cached[T]) drop() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.epoch++
	c.until = time.Time{}
}

// get gives a reading that began after the last drop.
func (c *cached[T]) get(ctx context.Context) (T, error) {
	value, epoch, ok := c.kept()
	if ok {
		return value, nil
	}
	// The reading goes on when the one who asked first has gone away.
	flight := c.flights.DoChan(strconv.Itoa(epoch), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		value, err := c.read(ctx)
		if err == nil {
			c.keep(value, epoch)
		}
		return value, err
	})
	select {
	case <-ctx.Done():
		return value, fault.Wrap(ctx.Err(), fault.Timeout, "the storage node's reading did not come in time")
	case result := <-flight:
		return result.Val.(T), result.Err
	}
}

func (c *cached[T]) kept() (T, int, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.value, c.epoch, time.Now().Before(c.until)
}

func (c *cached[T]) keep(value T, epoch int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if epoch == c.epoch {
		c.value, c.until = value, time.Now().Add(c.age)
	}
}
