package lvm

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"clinker/internal/fault"
)

// counting gives 1, 2, 3… and takes a second for each.
func counting() *cached[int] {
	n := 0
	return &cached[int]{age: 10 * time.Second, read: func(context.Context) (int, error) {
		n++
		value := n
		time.Sleep(time.Second)
		return value, nil
	}}
}

func want(t *testing.T, c *cached[int], value int) {
	t.Helper()
	if got, err := c.get(t.Context()); err != nil || got != value {
		t.Errorf("got %d, %v; want %d", got, err, value)
	}
}

func TestCachedAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := counting()
		want(t, c, 1)
		time.Sleep(9 * time.Second)
		want(t, c, 1)
		time.Sleep(time.Second)
		want(t, c, 2)
		c.drop()
		want(t, c, 3)
	})
}

// TestCachedShared: who asks while a reading is under way shares it, but not one
// that began before a change.
func TestCachedShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := counting()
		for range 5 {
			go want(t, c, 1)
		}
		synctest.Wait()
		c.drop()
		for range 5 {
			go want(t, c, 2)
		}
		time.Sleep(3 * time.Second)
		want(t, c, 2)
	})
}

// TestCachedCancelled: who goes away does not take the others' reading along.
func TestCachedCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := counting()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if _, err := c.get(ctx); !fault.Is(err, fault.Timeout) {
				t.Errorf("got %v, want Timeout", err)
			}
		}()
		synctest.Wait()
		go want(t, c, 1)
		synctest.Wait()
		cancel()
		time.Sleep(2 * time.Second)
		want(t, c, 1)
	})
}

func TestCachedError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	c := &cached[int]{age: time.Hour, read: func(context.Context) (int, error) { return 0, broken }}
	if _, err := c.get(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	c.read = func(context.Context) (int, error) { return 7, nil }
	want(t, c, 7)
}
