package machine

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

func TestConsoleAwait(t *testing.T) {
	t.Parallel()
	c, err := newConsole(filepath.Join(t.TempDir(), "console.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	_, _ = c.Write([]byte("tb: ready\n")) // of an earlier boot
	mark := c.mark()
	go func() {
		_, _ = c.Write([]byte("tb: re"))
		_, _ = c.Write([]byte("ady\n"))
	}()
	if err := c.await(t.Context(), mark, "tb: ready", nil); err != nil {
		t.Errorf("a word in two pieces: %v", err)
	}
	ended := make(chan struct{})
	close(ended)
	if err := c.await(t.Context(), c.mark(), "tb: ready", ended); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("a machine that ended: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.await(ctx, c.mark(), "tb: ready", nil); err == nil {
		t.Error("waited beyond its context")
	}
}
