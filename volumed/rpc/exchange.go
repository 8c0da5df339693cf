package rpc

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/apache/thrift/lib/go/thrift"

	"clinker/internal/fault"
)

// maxAnswer bounds an answer, in bytes: about a million entries of Stored.
const maxAnswer = 100 << 20

// contentType is Thrift's (RFC 6838 experimental tree), as THttpClient sends.
const contentType = "application/x-thrift"

// exchange is one Thrift call as one HTTP request. It keeps no state between
// calls, where thrift.THttpClient keeps the last answer and so can be used by
// one call at a time only; and it knows an HTTP status from a dead peer.
type exchange struct {
	http *http.Client
	url  string
}

// Call implements thrift.TClient. The error is a fault.
func (e exchange) Call(ctx context.Context, method string, args, result thrift.TStruct) (thrift.ResponseMeta, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return thrift.ResponseMeta{}, explain(ctx, e.call(ctx, method, args, result))
}

func (e exchange) call(ctx context.Context, method string, args, result thrift.TStruct) error {
	const sequence = 1
	request := thrift.NewTMemoryBufferLen(512)
	client := thrift.NewTStandardClient(nil, nil)
	if err := client.Send(ctx, thrift.NewTCompactProtocolConf(request, nil), sequence, method, args); err != nil {
		return err
	}
	answer, err := e.post(ctx, request.Bytes())
	if err != nil {
		return err
	}
	return client.Recv(ctx, thrift.NewTCompactProtocolConf(answer, nil), sequence, method, result)
}

func (e exchange) post(ctx context.Context, body []byte) (*thrift.TMemoryBuffer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the endpoint is not a URL")
	}
	r.Header["Content-Type"] = []string{contentType}
	// Lets net/http send the call again when a kept connection turns out to
	// be closed; a nil value is not sent. Every method may be repeated.
	r.Header["Idempotency-Key"] = nil
	setHeaders(ctx, r.Header)
	response, err := e.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, statusFault(response)
	}
	answer := thrift.NewTMemoryBufferLen(max(0, min(int(response.ContentLength), maxAnswer)))
	_, err = answer.ReadFrom(io.LimitReader(response.Body, maxAnswer))
	return answer, err
}

func statusFault(response *http.Response) error {
	io.CopyN(io.Discard, response.Body, 4<<10) // so that the connection can be kept
	if f, ok := statusFaults[response.StatusCode]; ok {
		return f
	}
	return fault.New(fault.Internal, "the service answered with HTTP status %d", response.StatusCode)
}
