package load

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// microversion is new enough for attachments to be completed (3.44) and old
// enough for Cinder of Zed.
const microversion = "volume 3.59"

// client is what all workers share: the connections.
type client struct {
	http     *fasthttp.HostClient
	endpoint Endpoint
	requests atomic.Int64
}

func newClient(e Endpoint, workers int) (*client, error) {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is no URL of an API: http://address:port/v3 is expected", e.URL)
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), map[string]string{"https": "443"}[u.Scheme])
		if u.Scheme != "https" {
			address = net.JoinHostPort(u.Hostname(), "80")
		}
	}
	return &client{endpoint: e, http: &fasthttp.HostClient{
		Addr: address, IsTLS: u.Scheme == "https", TLSConfig: &tls.Config{ServerName: u.Hostname()},
		MaxConns: 2 * workers, ReadBufferSize: 16 << 10, MaxIdleConnDuration: time.Minute,
		ReadTimeout: 2 * time.Minute, WriteTimeout: time.Minute,
		NoDefaultUserAgentHeader: true, DisablePathNormalizing: true,
	}}, nil
}

// worker does one thing at a time. Its buffers are used again by each call; a
// request that once had a body keeps saying how long it was, hence two.
type worker struct {
	*client
	number int
	plain  fasthttp.Request
	filled fasthttp.Request // with a body
	resp   fasthttp.Response
	taken  Samples
	steps  steps

	answerBytes int // of the longest answer to a read
}

func (c *client) worker(number int) *worker {
	w := &worker{client: c, number: number, steps: steps{}}
	for _, r := range []*fasthttp.Request{&w.plain, &w.filled} {
		r.Header.Set("X-Auth-Token", c.endpoint.Token)
		r.Header.Set("OpenStack-API-Version", microversion)
		r.Header.Set("Accept", "application/json")
	}
	w.filled.Header.SetContentType("application/json")
	return w
}

// refusal is an answer that is no success.
type refusal struct {
	method, path string
	status       int
	body         string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s %s: %d %s", r.method, r.path, r.status, r.body)
}

// call sends one request. The answer's body is valid until the next call.
func (w *worker) call(method, path string, body []byte) ([]byte, error) {
	request := &w.plain
	if body != nil {
		request = &w.filled
		request.SetBodyRaw(body)
	}
	request.Header.SetMethod(method)
	request.SetRequestURI(w.endpoint.URL + path)
	w.requests.Add(1)
	if err := w.http.Do(request, &w.resp); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	answer := w.resp.Body()
	if status := w.resp.StatusCode(); status >= 300 {
		return nil, &refusal{method, path, status, string(answer[:min(len(answer), 300)])}
	}
	return answer, nil
}

// asService sends a request without a body and with the service token too, as
// Nova does.
func (w *worker) asService(method, path string) ([]byte, error) {
	if w.endpoint.ServiceToken != "" {
		w.plain.Header.Set("X-Service-Token", w.endpoint.ServiceToken)
		defer w.plain.Header.Del("X-Service-Token")
	}
	return w.call(method, path, nil)
}
