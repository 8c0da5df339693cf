package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clinker/internal/fault"
)

// cloud is a folder with a CA and a certificate for each role.
func cloud(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pki")
	if _, err := EnsureCA(dir); err != nil {
		t.Fatal(err)
	}
	for _, role := range []Role{API, Scheduler, Volumed} {
		if _, _, err := Issue(dir, string(role), role, "localhost", "127.0.0.1", "::1"); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func server(t *testing.T, dir string, role Role, clients ...Role) *tls.Config {
	t.Helper()
	cert, key := paths(dir, string(role))
	c, err := ServerTLS(filepath.Join(dir, "ca.crt"), cert, key, clients...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func client(t *testing.T, dir string, role Role, servers ...Role) *tls.Config {
	t.Helper()
	cert, key := paths(dir, string(role))
	c, err := ClientTLS(filepath.Join(dir, "ca.crt"), cert, key, servers...)
	if err != nil {
		t.Fatal(err)
	}
	c.ServerName = "localhost"
	return c
}

// result is how a handshake ended on both sides.
type result struct {
	client, server error
	seen           tls.ConnectionState // of the server
	clientSaw      tls.ConnectionState
}

// shake connects the two and sends one byte back, so that the client reads
// what the server thinks of it, and its session ticket.
func shake(t *testing.T, srv, cli *tls.Config) result {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var r result
	var done sync.WaitGroup
	done.Go(func() {
		raw, err := l.Accept()
		if err != nil {
			r.server = err
			return
		}
		conn := tls.Server(raw, srv)
		defer conn.Close()
		if r.server = conn.Handshake(); r.server == nil {
			r.seen = conn.ConnectionState()
			_, r.server = conn.Write([]byte("x"))
		}
	})
	conn, err := tls.Dial("tcp", l.Addr().String(), cli)
	if err == nil {
		r.clientSaw = conn.ConnectionState()
		_, err = conn.Read(make([]byte, 1))
		conn.Close()
	}
	r.client = err
	done.Wait()
	return r
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	dir, foreign := cloud(t), cloud(t)
	nobody := client(t, dir, API)
	nobody.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }
	old := client(t, dir, API)
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	elsewhere := client(t, dir, API)
	elsewhere.ServerName = "store2"
	for _, c := range []struct {
		name         string
		srv, cli     *tls.Config
		onSrv, onCli string // what the error says; empty: none
	}{
		{name: "right", srv: server(t, dir, Volumed, API, Scheduler), cli: client(t, dir, API, Volumed)},
		{name: "any role", srv: server(t, dir, Volumed), cli: client(t, dir, Volumed)},
		{name: "client of another CA", srv: server(t, dir, Volumed), cli: func() *tls.Config {
			c := client(t, foreign, API)
			c.RootCAs = client(t, dir, API).RootCAs
			return c
		}(), onSrv: "unknown authority", onCli: "remote error"},
		{name: "server of another CA", srv: server(t, foreign, Volumed), cli: client(t, dir, API), onSrv: "remote error", onCli: "unknown authority"},
		{name: "no client certificate", srv: server(t, dir, Volumed), cli: nobody, onSrv: "didn't provide a certificate", onCli: "remote error"},
		{name: "wrong client role", srv: server(t, dir, Volumed, API, Scheduler), cli: client(t, dir, Volumed),
			onSrv: "the peer's role is volumed; only api or scheduler may connect here", onCli: "remote error"},
		{name: "wrong server role", srv: server(t, dir, API), cli: client(t, dir, Scheduler, Volumed),
			onSrv: "remote error", onCli: "the peer's role is api; only volumed"},
		{name: "TLS 1.2", srv: server(t, dir, Volumed), cli: old, onSrv: "version", onCli: "version"},
		{name: "another host", srv: server(t, dir, Volumed), cli: elsewhere, onSrv: "remote error", onCli: "not store2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := shake(t, c.srv, c.cli)
			wantError(t, "server", r.server, c.onSrv)
			wantError(t, "client", r.client, c.onCli)
		})
	}
}

func wantError(t *testing.T, side string, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: got %v, want %q", side, err, want)
	}
}

func TestPeerRoleAndResumption(t *testing.T) {
	t.Parallel()
	dir := cloud(t)
	srv, cli := server(t, dir, Volumed, API), client(t, dir, API, Volumed)
	for round := range 2 {
		r := shake(t, srv, cli)
		if r.server != nil || r.client != nil {
			t.Fatal(r.server, r.client)
		}
		if r.seen.DidResume != (round == 1) {
			t.Errorf("round %d: resumed is %v", round, r.seen.DidResume)
		}
		if role, err := peerRole(r.seen); role != API || err != nil {
			t.Errorf("round %d: the server saw %q, %v", round, role, err)
		}
		if err := RequireRole(r.seen, Scheduler); !fault.Is(err, fault.Forbidden) {
			t.Errorf("round %d: got %v", round, err)
		}
		if role, err := peerRole(r.clientSaw); role != Volumed || err != nil {
			t.Errorf("round %d: the client saw %q, %v", round, role, err)
		}
	}
	if _, err := peerRole(tls.ConnectionState{}); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("no certificate: got %v", err)
	}
}

// A peer may not resume past a role check that it would not pass anew.
func TestResumptionKeepsRole(t *testing.T) {
	t.Parallel()
	dir := cloud(t)
	cli := client(t, dir, Volumed)
	open, strict := server(t, dir, Volumed), server(t, dir, Volumed, API)
	key := [32]byte{1}
	open.SetSessionTicketKeys([][32]byte{key})
	strict.SetSessionTicketKeys([][32]byte{key})
	if r := shake(t, open, cli); r.server != nil {
		t.Fatal(r.server)
	}
	wantError(t, "server", shake(t, strict, cli).server, "role is volumed")
}

func TestNoRole(t *testing.T) {
	t.Parallel()
	if r := roleOf(&x509.Certificate{}); r != "" {
		t.Errorf("got %q", r)
	}
	if r := roleOf(&x509.Certificate{URIs: append(leaf("x", "root", nil).URIs, API.uri())}); r != API {
		t.Errorf("got %q", r)
	}
}

func TestIssueIsIdempotent(t *testing.T) {
	t.Parallel()
	dir := cloud(t)
	before := snapshot(t, dir)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := EnsureCA(dir); err != nil {
				t.Error(err)
			}
			if _, _, err := Issue(dir, "volumed", Volumed, "localhost", "127.0.0.1", "::1"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if after := snapshot(t, dir); after != before {
		t.Error("a second start changed the files")
	}
	if _, _, err := Issue(dir, "volumed", Volumed, "localhost", "10.0.0.9"); err != nil {
		t.Fatal(err)
	}
	if after := snapshot(t, dir); after == before {
		t.Error("another host did not give another certificate")
	}
}

// snapshot is every file with its content, after checking that keys are private.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(e.Name(), ".key") && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
		if strings.HasPrefix(e.Name(), ".new-") {
			t.Errorf("%s was left behind", e.Name())
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(e.Name() + string(content))
	}
	return all.String()
}

func TestManyFirstStarts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pki")
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if _, err := EnsureCA(dir); err != nil {
				t.Error(err)
			}
			if _, _, err := Issue(dir, "api", API, "localhost"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if r := shake(t, server(t, dir, API), client(t, dir, API)); r.server != nil || r.client != nil {
		t.Error(r.server, r.client)
	}
}

// After a crash between the two files of a pair the next start makes it whole.
func TestHalfAPair(t *testing.T) {
	t.Parallel()
	dir := cloud(t)
	for _, name := range []string{"api.key", "volumed.crt"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(filepath.Join(dir, "scheduler.key"), filepath.Join(dir, "api.key")); err != nil {
		t.Fatal(err)
	}
	for _, role := range []Role{API, Scheduler, Volumed} {
		if _, _, err := Issue(dir, string(role), role, "localhost"); err != nil {
			t.Fatal(err)
		}
	}
	if r := shake(t, server(t, dir, Volumed), client(t, dir, API)); r.server != nil || r.client != nil {
		t.Error(r.server, r.client)
	}
	if r := shake(t, server(t, dir, Scheduler), client(t, dir, Volumed)); r.server != nil || r.client != nil {
		t.Error(r.server, r.client)
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	dir := cloud(t)
	for _, c := range []struct {
		name  string
		role  Role
		hosts []string
	}{
		{"ca", API, []string{"h"}}, {"../x", API, []string{"h"}}, {"", API, []string{"h"}},
		{"x", "root", []string{"h"}}, {"x", API, nil}, {"x", API, []string{"a b"}}, {"x", API, []string{"*.example"}},
	} {
		if _, _, err := Issue(dir, c.name, c.role, c.hosts...); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: got %v", c, err)
		}
	}
	if _, _, err := Issue(t.TempDir(), "x", API, "h"); !fault.Is(err, fault.NotFound) {
		t.Errorf("no CA: got %v", err)
	}
}

// A file that is no key is never overwritten: it may be somebody's.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ca.key"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := EnsureCA(dir); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("got %v", err)
	}
}

func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "pki")
		caFile, err := EnsureCA(dir)
		if err != nil {
			t.Fatal(err)
		}
		issue := func() *x509.Certificate {
			file, _, err := Issue(dir, "api", API, "localhost")
			if err != nil {
				t.Fatal(err)
			}
			return read(t, file)
		}
		first := issue()
		time.Sleep(leafLife - renewBelow - time.Minute)
		if !issue().Equal(first) {
			t.Error("renewed too early")
		}
		time.Sleep(2 * time.Minute)
		second := issue()
		if second.Equal(first) {
			t.Error("not renewed with less than 30 days left")
		}
		oldCA := read(t, caFile)
		time.Sleep(caLife - renewBelow)
		if _, err := EnsureCA(dir); err != nil {
			t.Fatal(err)
		}
		newCA := read(t, caFile)
		if newCA.Equal(oldCA) || second.CheckSignatureFrom(newCA) != nil {
			t.Error("the CA is not renewed, or what it signed before counts no more")
		}
	})
}

func read(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// A certificate that changes on disk is served from the next handshake on; a
// broken one is not.
func TestReload(t *testing.T) {
	t.Parallel()
	dir := cloud(t)
	srv, cli := server(t, dir, Volumed), client(t, dir, API)
	cli.ClientSessionCache = nil
	serial := func() string {
		r := shake(t, srv, cli)
		if r.client != nil || r.server != nil {
			t.Fatal(r.client, r.server)
		}
		return r.clientSaw.PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	if _, _, err := Issue(dir, "volumed", Volumed, "localhost", "127.0.0.2"); err != nil {
		t.Fatal(err)
	}
	second := serial()
	if second == first {
		t.Error("the new certificate is not served")
	}
	cert, _ := paths(dir, "volumed")
	if err := os.WriteFile(cert, []byte("broken"), 0o644); err != nil {
		t.Fatal(err)
	}
	if serial() != second {
		t.Error("a broken file took the certificate away")
	}
}

func TestLoadersRefuse(t *testing.T) {
	t.Parallel()
	dir := cloud(t)
	ca, cert, key := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "api.crt"), filepath.Join(dir, "api.key")
	for _, files := range [][3]string{{dir + "/none", cert, key}, {key, cert, key}, {ca, dir + "/none", key}, {ca, cert, filepath.Join(dir, "volumed.key")}} {
		if _, err := ServerTLS(files[0], files[1], files[2]); err == nil {
			t.Errorf("%v: no error", files)
		}
		if _, err := ClientTLS(files[0], files[1], files[2]); err == nil {
			t.Errorf("%v: no error", files)
		}
	}
}

// TestCheckFile finds a certificate that no peer would let in.
func TestCheckFile(t *testing.T) {
	t.Parallel()
	dir := cloud(t)
	ca, _ := paths(dir, caName)
	api, key := paths(dir, string(API))
	for file, want := range map[string]string{
		api: `for the role "api", and not for scheduler`, ca: `for the role ""`, key: "holds no certificate", dir + "/none.crt": "clinker pki issue",
	} {
		wantError(t, file, CheckFile(file, Scheduler), want)
	}
	wantError(t, api, CheckFile(api, API), "")
}
