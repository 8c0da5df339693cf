package machine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Access is how a guest's agent is reached. The token makes its holder root
// there and must not be logged.
type Access struct {
	Address string // "127.0.0.1:port"
	Token   string
}

// A connection is never used twice: one that a power cut left behind would
// swallow the next boot's request.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// do sends one request. An answer other than 200 is an error with its text.
func (a Access) do(ctx context.Context, method, path string, query url.Values, body io.Reader) (io.ReadCloser, error) {
	target := url.URL{Scheme: "http", Host: a.Address, Path: path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+a.Token)
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
	return nil, errors.New(strings.TrimSpace(string(text)))
}

// post sends v as JSON.
func (a Access) post(ctx context.Context, path string, v any) (io.ReadCloser, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return a.do(ctx, http.MethodPost, path, nil, bytes.NewReader(body))
}

// reach returns the agent's access, and a context that ends with the machine, so
// that no call waits for an answer that cannot come.
func (m *Machine) reach(ctx context.Context) (Access, context.Context, context.CancelFunc, error) {
	if !m.running() {
		return Access{}, nil, nil, fmt.Errorf("guest %s is off", m.options.Name)
	}
	ended := m.Ended()
	ctx, cancel := context.WithCancelCause(ctx)
	stop := make(chan struct{})
	go func() {
		select {
		case <-ended:
			cancel(fmt.Errorf("guest %s went off; its console ends:\n%s", m.options.Name, tail(m.Console(), 1000)))
		case <-stop:
		}
	}()
	return m.Access(), ctx, func() { close(stop); cancel(nil) }, nil
}
