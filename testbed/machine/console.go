package machine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
)

// console keeps what the guest's serial line and QEMU itself write.
type console struct {
	mu    sync.Mutex
	log   *os.File
	buf   bytes.Buffer
	grown chan struct{} // closed and replaced at each write
}

func newConsole(path string) (*console, error) {
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &console{log: log, grown: make(chan struct{})}, nil
}

// Write takes all, whatever becomes of the log file.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.log.Write(p)
	c.buf.Write(p)
	close(c.grown)
	c.grown = make(chan struct{})
	return len(p), nil
}

func (c *console) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.log == nil {
		return nil
	}
	err := c.log.Close()
	c.log = nil
	return err
}

// mark is a place in the text: what follows is newer.
func (c *console) mark() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Len()
}

func (c *console) text() string { return c.since(0) }

func (c *console) since(mark int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.buf.Bytes()[mark:])
}

// await returns when word stands in the text after mark; it gives up when ctx
// ends or the machine does.
func (c *console) await(ctx context.Context, mark int, word string, ended <-chan struct{}) error {
	for {
		c.mu.Lock()
		found := bytes.Contains(c.buf.Bytes()[mark:], []byte(word))
		grown := c.grown
		c.mu.Unlock()
		if found {
			return nil
		}
		select {
		case <-grown:
		case <-ended:
			return fmt.Errorf("ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", context.Cause(ctx))
		}
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
