package move

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"clinker/internal/fault"
)

// source is where a volume's chunks come from.
type source interface {
	// chunk reads one; Unavailable when it may be had later. Where its map has zeroes, the
	// memory holds anything.
	chunk(ctx context.Context, index int64, into []byte) (zeroMap, digest, error)
	// whole gives the digest of them all; Unavailable as for chunk.
	whole(ctx context.Context) (digest, error)
}

// own is a source on this very node.
type own struct{ *loan }

func (o own) chunk(_ context.Context, index int64, into []byte) (zeroMap, digest, error) {
	return o.read(index, into)
}

func (o own) whole(ctx context.Context) (digest, error) {
	d, done, err := o.loan.whole(ctx)
	if err == nil && !done {
		err = ctx.Err()
	}
	return d, err
}

// remote is a source on another node.
type remote struct {
	client *http.Client
	url    string
	token  Token
	bytes  int64
}

func (r remote) chunk(ctx context.Context, index int64, into []byte) (z zeroMap, d digest, err error) {
	at := index * chunkBytes
	body, header, err := r.get(ctx, r.url, fmt.Sprintf("bytes=%d-%d", at, at+int64(len(into))-1))
	if err != nil {
		return z, d, err
	}
	defer body.Close()
	word, err := strconv.ParseUint(header.Get(headerZeroes), 16, 64)
	if err == nil {
		d, err = parseDigest(header)
	}
	if err != nil {
		return z, d, fault.Wrap(err, fault.Internal, "the node that has the volume gave an answer that is not understood")
	}
	z = zeroMap(word)
	err = z.runs(len(into), func(from, to int, zero bool) error {
		if zero {
			return nil
		}
		_, err := io.ReadFull(body, blockOf(into, from, to))
		return err
	})
	if err != nil {
		return z, d, lost(err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(body, 1)) // its end, so that the connection is kept
	return z, d, nil
}

func (r remote) whole(ctx context.Context) (digest, error) {
	body, header, err := r.get(ctx, r.url+"/digest", "")
	if err != nil {
		return digest{}, err
	}
	defer body.Close()
	return parseDigest(header)
}

func parseDigest(header http.Header) (d digest, err error) {
	raw, err := hex.DecodeString(header.Get(headerDigest))
	if err != nil || len(raw) != len(d) {
		return d, errors.New("the digest is not of 128 bits")
	}
	return digest(raw), nil
}

// stall is how long the other node may send nothing.
const stall = 30 * time.Second

// get asks for a chunk or a digest. What comes must not stall.
func (r remote) get(ctx context.Context, url, span string) (io.ReadCloser, http.Header, error) {
	ctx, cancel := context.WithCancel(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		cancel()
		return nil, nil, fault.New(fault.Invalid, "the endpoint of the node that has the volume is no URL")
	}
	request.Header.Set("Authorization", "Bearer "+string(r.token))
	if span != "" {
		request.Header.Set("Range", span)
	}
	late := time.AfterFunc(stall, cancel)
	response, err := r.client.Do(request)
	if err != nil {
		late.Stop()
		cancel()
		return nil, nil, lost(err)
	}
	body := &stream{Reader: response.Body, late: late, close: func() { late.Stop(); cancel(); _ = response.Body.Close() }}
	if err := answered(response.StatusCode); err != nil {
		_, _ = io.CopyN(io.Discard, body, 4<<10)
		_ = body.Close()
		return nil, nil, err
	}
	return body, response.Header, nil
}

// stream is a body of which something must come from time to time.
type stream struct {
	io.Reader
	late  *time.Timer
	close func()
}

func (s *stream) Read(p []byte) (int, error) {
	s.late.Reset(stall)
	return s.Reader.Read(p)
}

// Close lets the connection go.
func (s *stream) Close() error {
	s.close()
	return nil
}

// answered tells what may come later from what never will. A volume that is not
// lent may be lent again: the node that has it may just have been started.
func answered(status int) error {
	switch {
	case status == http.StatusPartialContent, status == http.StatusNoContent:
		return nil
	case status == http.StatusNotFound, status == http.StatusForbidden:
		return fault.New(fault.Unavailable, "the node that has the volume does not lend it")
	case status >= 500:
		return fault.New(fault.Unavailable, "the node that has the volume cannot read it at the moment (status %d)", status)
	}
	return fault.New(fault.Conflict, "the node that has the volume does not give its bytes (status %d)", status)
}

func lost(err error) error {
	return fault.Wrap(err, fault.Unavailable, "the node that has the volume does not answer, or the connection to it broke")
}
