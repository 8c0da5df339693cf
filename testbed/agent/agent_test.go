package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"clinker/testbed/wire"
)

func newServer(t *testing.T) *httptest.Server {
	a := &agent{processes: make(map[int]*process)}
	server := httptest.NewServer(authenticated("secret", a.routes()))
	t.Cleanup(server.Close) // waits for requests under way
	return server
}

func request(ctx context.Context, t *testing.T, server *httptest.Server, token, path, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", token)
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func TestToken(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for _, token := range []string{"", "Bearer ", "Bearer wrong", "secret"} {
		if got := request(t.Context(), t, server, token, "/exec", `{"Args":["true"]}`).StatusCode; got != http.StatusUnauthorized {
			t.Errorf("token %q: status %d", token, got)
		}
	}
	response := request(t.Context(), t, server, "Bearer secret", "/exec", `{"Args":["sh","-c","echo out; exit 3"]}`)
	body, _ := io.ReadAll(response.Body)
	if want := "{\"Stdout\":\"b3V0Cg==\"}\n{\"Exit\":3}\n"; string(body) != want {
		t.Errorf("events %q, want %q", body, want)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for path, body := range map[string]string{
		"/exec": `{"Args":[]}`, "/start": `no JSON`, "/signal?pid=1&signal=9": "", "/signal?pid=x": "",
	} {
		if got := request(t.Context(), t, server, "Bearer secret", path, body).StatusCode; got != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", path, got)
		}
	}
}

// TestHostGone ends only if the agent kills the program whose caller went away:
// closing the server waits for its requests.
func TestHostGone(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	response := request(ctx, t, server, "Bearer secret", "/exec", `{"Args":["sh","-c","echo up; sleep 1000; true"]}`)
	if _, err := response.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cancel()
}

// TestLeavesDaemonsAlone: what a program leaves behind in the background lives
// on when the host, which has its answer, goes away.
func TestLeavesDaemonsAlone(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	var daemons []int
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		response := request(ctx, t, server, "Bearer secret", "/exec", `{"Args":["sh","-c","sleep 60 >/dev/null 2>&1 & echo $!"]}`)
		decoder := json.NewDecoder(response.Body)
		var said, end wire.Event
		if err := errors.Join(decoder.Decode(&said), decoder.Decode(&end)); err != nil || end.Exit == nil {
			t.Fatalf("%+v, %+v: %v", said, end, err)
		}
		cancel()
		pid, err := strconv.Atoi(strings.TrimSpace(string(said.Stdout)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
		daemons = append(daemons, pid)
	}
	server.Close() // all requests are over
	for _, pid := range daemons {
		if err := syscall.Kill(pid, 0); err != nil {
			t.Errorf("a daemon is gone: %v", err)
		}
	}
}
