package tgt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"clinker/internal/fault"
)

// control reaches one tgtd through its management socket. The daemon takes one
// request per connection and answers it when it is done; it checks that the
// caller is the user that runs it.
type control struct {
	socket string
}

// patience is how long one request may take when the context has no deadline.
const patience = 10 * time.Second

// call sends one request and gives the text of the answer. The error is a
// refusal when the daemon said no; Unavailable when it is not there; Timeout
// when ctx ended first, and then the request may have been carried out.
func (c control) call(ctx context.Context, r request) (string, error) {
	if len(r.params) >= maxParams {
		return "", fault.New(fault.Invalid, "names too long for the iSCSI daemon")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	text, err := c.exchange(ctx, r.encode())
	var no refusal
	switch {
	case err == nil:
		return text, nil
	case errors.As(err, &no):
		return "", fmt.Errorf("%s: %w", r, no)
	case ctx.Err() != nil:
		return "", fault.Wrap(err, fault.Timeout, "the iSCSI daemon did not answer in time")
	default:
		return "", fault.Wrap(err, fault.Unavailable, "the iSCSI daemon tgtd does not answer")
	}
}

func (c control) exchange(ctx context.Context, message []byte) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.socket)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(message); err != nil {
		return "", err
	}
	var header [answerBytes]byte
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return "", err
	}
	no, size, err := decodeAnswer(header)
	if err != nil {
		return "", err
	}
	if no != 0 {
		return "", no
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(conn, text); err != nil {
		return "", err
	}
	return string(bytes.TrimRight(text, "\x00")), nil
}

// do is call for requests whose answer has no text. The refusals listed in fine
// count as success: that is how steps can be repeated.
func (c control) do(ctx context.Context, r request, fine ...refusal) error {
	_, err := c.call(ctx, r)
	for _, f := range fine {
		if errors.Is(err, f) {
			return nil
		}
	}
	return err
}
