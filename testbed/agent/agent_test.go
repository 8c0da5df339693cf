package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
