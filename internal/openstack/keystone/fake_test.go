package keystone

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeKeystone answers logins and validations without a network, so that the
// tests may run on synctest's clock. It counts what it is asked.
type fakeKeystone struct {
	mu          sync.Mutex
	logins      int
	asked       map[string]int       // by token
	expires     map[string]time.Time // the tokens it knows
	roles       map[string][]string  // of a token; member when absent
	session     int                  // of the service user; raised to end its token
	refuseLogin bool
	fail        int           // status to answer a validation with, -1: no answer
	failTimes   int           // how often; below 0: always
	hold        chan struct{} // when set, validations wait for it
	lastQuery   string
	projects    map[string]int // the status of each that is asked for
	domain      string         // what tokens are scoped to; "" is the project p1
}

var errCut = errors.New("connection refused")

func newFake() *fakeKeystone {
	return &fakeKeystone{
		asked: map[string]int{}, expires: map[string]time.Time{}, roles: map[string][]string{}, session: 1,
	}
}

// RoundTrip serves as Config.Transport.
func (f *fakeKeystone) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	var err error
	switch {
	case r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/v3/auth/tokens"):
		err = f.login(w)
	case r.Method == "GET" && strings.HasSuffix(r.URL.Path, "/v3/auth/tokens"):
		err = f.validate(w, r)
	case r.Method == "GET" && f.projects[r.URL.EscapedPath()[strings.LastIndex(r.URL.EscapedPath(), "/")+1:]] != 0:
		w.WriteHeader(f.projects[r.URL.EscapedPath()[strings.LastIndex(r.URL.EscapedPath(), "/")+1:]])
		_, _ = w.Write([]byte("{}"))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	if err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func (f *fakeKeystone) login(w http.ResponseWriter) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logins++
	if f.fail == -1 && f.failTimes != 0 {
		return errCut
	}
	if f.refuseLogin {
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	w.Header().Set("X-Subject-Token", fmt.Sprintf("service-user-%d", f.session))
	w.WriteHeader(http.StatusCreated)
	_, err := w.Write([]byte(`{"token":{"catalog":[]}}`))
	return err
}

func (f *fakeKeystone) validate(w http.ResponseWriter, r *http.Request) error {
	token := r.Header.Get("X-Subject-Token")
	f.mu.Lock()
	hold := f.hold
	f.asked[token]++
	f.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lastQuery = r.URL.RawQuery
	if f.failTimes != 0 {
		f.failTimes--
		if f.fail == -1 {
			return errCut
		}
		http.Error(w, `{"error":{"message":"about token `+token+`"}}`, f.fail)
		return nil
	}
	if r.Header.Get("X-Auth-Token") != fmt.Sprintf("service-user-%d", f.session) {
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	f.tell(w, token, r.URL.Query().Has("allow_expired"))
	return nil
}

func (f *fakeKeystone) tell(w http.ResponseWriter, token string, lenient bool) {
	expires, ok := f.expires[token]
	if !ok || !lenient && !time.Now().Before(expires) {
		http.Error(w, `{"error":{"code":404,"message":"Could not find token: `+token+`"}}`, http.StatusNotFound)
		return
	}
	roles := []map[string]string{}
	for _, name := range f.rolesOf(token) {
		roles = append(roles, map[string]string{"id": "r-" + name, "name": name})
	}
	body := map[string]any{
		"expires_at": expires.UTC().Format("2006-01-02T15:04:05.000000Z"),
		"user":       map[string]any{"id": "u-" + token, "name": token, "domain": map[string]any{"id": "default"}},
		"project":    map[string]any{"id": "p1", "name": "one", "domain": map[string]any{"id": "default"}},
		"roles":      roles,
	}
	if f.domain != "" {
		delete(body, "project")
		body["domain"], body["is_admin_project"] = map[string]any{"id": f.domain}, false
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"token": body})
}

func (f *fakeKeystone) rolesOf(token string) []string {
	if roles, ok := f.roles[token]; ok {
		return roles
	}
	return []string{"member"}
}

// give makes a token known for so long.
func (f *fakeKeystone) give(token string, life time.Duration, roles ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.expires[token] = time.Now().Add(life)
	if roles != nil {
		f.roles[token] = roles
	}
}

func (f *fakeKeystone) with(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeKeystone) timesAsked(token string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[token]
}

func testConfig(f http.RoundTripper) Config {
	return Config{
		AuthURL: "http://keystone.test:5000/v3", Username: "cinder", Password: "very-secret",
		ProjectName: "service", Transport: f,
	}
}

func newValidator(t testing.TB, f *fakeKeystone, change ...func(*Config)) *Validator {
	t.Helper()
	cfg := testConfig(f)
	for _, c := range change {
		c(&cfg)
	}
	v, err := New(cfg)
	require.NoError(t, err)
	return v
}
