package rpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"testing"

	"clinker/internal/fault"
	"clinker/volumed/rpc/gen/node"
)

// canned is a node that answers every call with the same bytes.
type canned []byte

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, ContentLength: int64(len(c)), Body: io.NopCloser(bytes.NewReader(c))}, nil
}

// asked are calls whose answers are of every form that the IDL has.
var asked = []struct {
	method string
	call   func(context.Context, nodeClient) (there bool, err error)
}{
	{"stats", func(ctx context.Context, c nodeClient) (bool, error) {
		s, err := c.Stats(ctx)
		return s != nil, err
	}},
	{"operation", func(ctx context.Context, c nodeClient) (bool, error) {
		o, err := c.Operation(ctx, "id", 0)
		return o != nil, err
	}},
	{"grant", func(ctx context.Context, c nodeClient) (bool, error) {
		g, err := c.Grant(ctx, Fence{}, "pool", "volume", Grant{})
		return g != nil, err
	}},
	{"stored", func(ctx context.Context, c nodeClient) (bool, error) {
		all, err := c.Stored(ctx, "pool")
		for _, s := range all {
			_ = *s // none is nil
		}
		return true, err
	}},
	{"exports", func(ctx context.Context, c nodeClient) (bool, error) {
		_, err := c.Exports(ctx, "pool")
		return true, err
	}},
	{"log_levels", func(ctx context.Context, c nodeClient) (bool, error) {
		_, err := c.LogLevels(ctx, "")
		return true, err
	}},
}

// FuzzAnswer: whatever bytes a node answers with, the caller gets what it has asked
// for or a fault that can be read, and for few bytes no great memory is taken.
func FuzzAnswer(f *testing.F) {
	for i := range asked {
		f.Add(uint8(i), []byte("\x00"))
		f.Add(uint8(i), []byte("\x1c\x18\x05stale\x18\x03old\x00\x00"))                   // a refusal
		f.Add(uint8(i), []byte("\x0c\x00\x18\x01i\x15\x02\x16\x00\x16\x00\x00\x00"))      // an operation
		f.Add(uint8(i), []byte("\x09\x00\xfc\xff\xff\xff\x07\x00\x00"))                   // a list of very many
		f.Add(uint8(i), []byte("\x0b\x00\xff\xff\xff\x07\x88\x01a\x01b\x00"))             // a map of very many
		f.Add(uint8(i), []byte("\x0c\x00\x18\xff\xff\xff\xff\x07x\x00"))                  // a very long text
		f.Add(uint8(i), bytes.Repeat([]byte("\x1c"), 4000))                               // very deep
		f.Add(uint8(i), []byte("\x0c\x00\x18\x01u\x19\x1c\x18\x01p\x16\x02\x00\x00\x00")) // a part of Stats
	}
	f.Fuzz(func(t *testing.T, which uint8, answer []byte) {
		a := asked[int(which)%len(asked)]
		whole := append([]byte("\x82\x41\x01"+string(rune(len(a.method)))+a.method), answer...)
		c := nodeClient{node.NewVolumedClient(exchange{http: &http.Client{Transport: canned(whole)}, url: "https://127.0.0.1:1"})}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		there, err := a.call(t.Context(), c)
		runtime.ReadMemStats(&after)
		var known *fault.Fault
		if err != nil && (!errors.As(err, &known) || known.Error() == "") || err == nil && !there {
			t.Fatalf("%s: %v %v", a.method, there, err)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20+uint64(len(whole))<<9 {
			t.Fatalf("%s: %d bytes of memory for %d", a.method, taken, len(whole))
		}
	})
}
