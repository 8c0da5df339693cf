package move

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/internal/pki"
)

const (
	volume = "5c1a9e6e-3b7e-4d54-9a46-000000000001"
	token  = Token("0123456789abcdef0123456789abcdef")
	// length is no multiple of a chunk, and its last block is short.
	length = 3*chunkBytes + 5*blockBytes + 512
)

// free is a share of no budget.
var free = pace.New(0).Copy()

// rig is a node that lends, reached over mutual TLS, and the certificates of others.
type rig struct {
	testing.TB
	dir    string
	lender *Lender
	server *httptest.Server
	source string // the lent file
	target string
	wrap   func(http.Handler) http.Handler
}

func newRig(t testing.TB) *rig {
	r := &rig{TB: t, dir: t.TempDir(), lender: NewLender(time.Minute), wrap: func(h http.Handler) http.Handler { return h }}
	if _, err := pki.EnsureCA(r.dir); err != nil {
		t.Fatal(err)
	}
	r.source, r.target = filepath.Join(r.dir, "source"), filepath.Join(r.dir, "target")
	r.fill(content())
	ca, cert, key := r.certificate("lender", pki.Volumed, "127.0.0.1")
	config, err := pki.ServerTLS(ca, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.wrap(r.lender).ServeHTTP(w, q) }))
	r.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.server.Listener = tls.NewListener(r.server.Listener, config) // StartTLS would show a certificate of its own
	r.server.Start()
	r.server.URL = strings.Replace(r.server.URL, "http:", "https:", 1)
	t.Cleanup(r.server.Close)
	t.Cleanup(r.lender.Close)
	return r
}

// content has holes, whole chunks of zeroes, and data at both ends.
func content() []byte {
	data, chance := make([]byte, length), rand.New(rand.NewPCG(1, 2))
	for _, at := range []int{0, 3 * blockBytes, chunkBytes - 100, 2*chunkBytes + 7, length - 512} {
		for i := range 300 {
			data[at+i] = byte(chance.Uint32())
		}
	}
	return data
}

func (r *rig) fill(data []byte) {
	r.Helper()
	if err := os.WriteFile(r.source, data, 0o600); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) certificate(name string, role pki.Role, host string) (ca, cert, key string) {
	r.Helper()
	cert, key, err := pki.Issue(r.dir, name, role, host)
	if err != nil {
		r.Fatal(err)
	}
	return filepath.Join(r.dir, "ca.crt"), cert, key
}

// puller is a node of that role and name.
func (r *rig) puller(role pki.Role, host string) *Puller {
	r.Helper()
	ca, cert, key := r.certificate(strings.ReplaceAll("puller-"+string(role)+"-"+host, ":", "-"), role, host)
	config, err := pki.ClientTLS(ca, cert, key, pki.Volumed)
	if err != nil {
		r.Fatal(err)
	}
	return NewPuller(Options{TLS: config, Patience: 50 * time.Millisecond})
}

func (r *rig) loan() Loan {
	return Loan{Volume: volume, Generation: 7, Pool: "file#file", Path: r.source, Bytes: length, Reader: "node2", Token: token}
}

func (r *rig) lend() {
	r.Helper()
	if err := r.lender.Lend(r.loan(), free); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) remote() Remote {
	return Remote{Endpoint: r.server.URL, Volume: volume, Generation: 7, Token: token}
}

// pull makes a new target, blank or full of old bytes, and fetches into it.
func (r *rig) pull(p *Puller, from Remote, blank bool) error {
	r.Helper()
	old := []byte{}
	if !blank {
		old = bytes.Repeat([]byte{0xaa}, length)
	}
	if err := errors.Join(os.WriteFile(r.target, old, 0o600), os.Truncate(r.target, length)); err != nil {
		r.Fatal(err)
	}
	var last atomic.Int64
	err := p.Pull(r.Context(), from, r.target, length, blank, func(done int64) { last.Store(max(last.Load(), done)) })
	if err == nil && last.Load() != length {
		r.Errorf("progress ended at %d of %d", last.Load(), length)
	}
	return err
}

func (r *rig) same() {
	r.Helper()
	want, err := os.ReadFile(r.source)
	got, err2 := os.ReadFile(r.target)
	if err != nil || err2 != nil || !bytes.Equal(want, got) {
		r.Errorf("what arrived differs: %v %v", err, err2)
	}
}

func TestPull(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.lend()
	p := r.puller(pki.Volumed, "node2")
	for _, blank := range []bool{true, false} {
		if err := r.pull(p, r.remote(), blank); err != nil {
			t.Fatal(err)
		}
		r.same()
	}
	if err := r.pull(p, r.remote(), true); err != nil {
		t.Fatal(err)
	}
	var info syscall.Stat_t
	if err := syscall.Stat(r.target, &info); err != nil || info.Blocks*512 > 6*blockBytes {
		t.Errorf("zeroes were written: %d bytes, %v", info.Blocks*512, err)
	}
}

// TestHolesAreNotSent: what crosses the network is what is not zeroes.
func TestHolesAreNotSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var crossed atomic.Int64
	r.wrap = func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { h.ServeHTTP(counting{w, &crossed}, q) })
	}
	r.lend()
	if err := r.pull(r.puller(pki.Volumed, "node2"), r.remote(), true); err != nil {
		t.Fatal(err)
	}
	if n := crossed.Load(); n == 0 || n > 6*blockBytes {
		t.Errorf("%d bytes were sent", n)
	}
}

type counting struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c counting) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return c.ResponseWriter.Write(p)
}

// TestWhoMayRead: the certificate must be that of the node named, and the token
// the move's; nobody else learns anything.
func TestWhoMayRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		role   pki.Role
		host   string
		lent   bool
		change func(*Remote)
	}{
		"nothing lent":       {pki.Volumed, "node2", false, func(*Remote) {}},
		"another node":       {pki.Volumed, "node3", true, func(*Remote) {}},
		"the API":            {pki.API, "node2", true, func(*Remote) {}},
		"the scheduler":      {pki.Scheduler, "node2", true, func(*Remote) {}},
		"no token":           {pki.Volumed, "node2", true, func(f *Remote) { f.Token = "" }},
		"another token":      {pki.Volumed, "node2", true, func(f *Remote) { f.Token = token[1:] + "0" }},
		"another volume":     {pki.Volumed, "node2", true, func(f *Remote) { f.Volume = strings.Replace(volume, "1", "2", 1) }},
		"another generation": {pki.Volumed, "node2", true, func(f *Remote) { f.Generation++ }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			if c.lent {
				r.lend()
			}
			from := r.remote()
			c.change(&from)
			err := r.pull(r.puller(c.role, c.host), from, true)
			if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "does not lend it") {
				t.Errorf("got %v", err)
			}
			if data, _ := os.ReadFile(r.target); !bytes.Equal(data, make([]byte, length)) {
				t.Error("something was read")
			}
		})
	}
}

// TestNoCertificate: without one nothing is even asked.
func TestNoCertificate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.lend()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, r.server.URL+Path+volume+"/7", nil)
	request.Header.Set("Authorization", "Bearer "+string(token))
	if answer, err := client.Do(request); err == nil {
		t.Errorf("status %d", answer.StatusCode)
		answer.Body.Close()
	}
}

func TestLoanEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Lender){
		"ended":            func(l *Lender) { l.End(volume) },
		"overtaken":        func(l *Lender) { l.Overtaken(volume, 8) },
		"closed":           func(l *Lender) { l.Close() },
		"a newer loan":     func(l *Lender) {},
		"older: it stays":  func(l *Lender) { l.Overtaken(volume, 7) },
		"other: it stays":  func(l *Lender) { l.End("x") },
		"term is too long": func(l *Lender) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.lend()
			end(r.lender)
			if name == "a newer loan" {
				newer := r.loan()
				newer.Generation++
				if err := r.lender.Lend(newer, free); err != nil {
					t.Fatal(err)
				}
				if err := r.lender.Lend(r.loan(), free); !fault.Is(err, fault.Stale) {
					t.Errorf("an older loan: %v", err)
				}
			}
			stays := strings.Contains(name, "stays") || strings.Contains(name, "long")
			if err := r.pull(r.puller(pki.Volumed, "node2"), r.remote(), true); (err == nil) != stays {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestShortSource: what is missing of a file does not pass for a hole.
func TestShortSource(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := os.Truncate(r.source, 2*chunkBytes); err != nil {
		t.Fatal(err)
	}
	if err := r.lender.Lend(r.loan(), free); !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
}

func TestLoanLasts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.lender = NewLender(time.Hour)
	r.lend()
	n := r.lender.loans[volume]
	n.until.Reset(0)
	for r.lender.find(volume, 7, string(token)) != nil {
		time.Sleep(time.Millisecond)
	}
	if _, _, err := n.read(0, make([]byte, chunkBytes)); !fault.Is(err, fault.NotFound) {
		t.Errorf("a loan that has run out is read: %v", err)
	}
	short := r.loan()
	short.Token = "short"
	if err := r.lender.Lend(short, free); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short token: %v", err)
	}
	missing := r.loan()
	missing.Path += "-missing"
	if err := r.lender.Lend(missing, free); err == nil {
		t.Error("what is not there was lent")
	}
}

// TestDamage: bytes that arrive other than they were sent are asked for again,
// and refused when they never come right.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, times := range []int64{1, 1000} {
		r := newRig(t)
		var damage atomic.Int64
		r.wrap = func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				h.ServeHTTP(flipping{w, &damage, times}, q)
			})
		}
		r.lend()
		err := r.pull(r.puller(pki.Volumed, "node2"), r.remote(), true)
		if times == 1 {
			if err != nil {
				t.Error(err)
			}
			r.same()
		} else if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "not what was sent") {
			t.Errorf("got %v", err)
		}
	}
}

// flipping changes a bit in some of what is sent.
type flipping struct {
	http.ResponseWriter
	n     *atomic.Int64
	times int64
}

func (f flipping) Write(p []byte) (int, error) {
	if f.n.Add(1) <= f.times {
		p = bytes.Clone(p)
		p[len(p)/2] ^= 1
	}
	return f.ResponseWriter.Write(p)
}

// TestVolumeChangedMeanwhile: each chunk arrived as it was read, and yet the whole
// is not what the lender read last.
func TestVolumeChangedMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.wrap = func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if strings.HasSuffix(q.URL.Path, "/digest") {
				// The lender was started anew, and somebody has written.
				r.lender.End(volume)
				if f, err := os.OpenFile(r.source, os.O_WRONLY, 0); err == nil {
					_, _ = f.WriteAt([]byte("x"), chunkBytes)
					f.Close()
				}
				r.lend()
			}
			h.ServeHTTP(w, q)
		})
	}
	r.lend()
	if err := r.pull(r.puller(pki.Volumed, "node2"), r.remote(), true); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "digest") {
		t.Errorf("got %v", err)
	}
}

// TestLenderComesBack: a lender that is started anew is waited for; what has come
// already is not fetched again.
func TestLenderComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var asked atomic.Int64
	r.wrap = func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			switch asked.Add(1) {
			case 3: // it dies in the middle of a chunk
				w.Header().Set("Content-Length", "4194304")
				_, _ = w.Write(make([]byte, 100))
				panic(http.ErrAbortHandler)
			case 4:
				r.lender.End(volume)
			case 5:
				r.lend()
			}
			h.ServeHTTP(w, q)
		})
	}
	r.lend()
	p := r.puller(pki.Volumed, "node2")
	p.Patience, p.Parallel = time.Minute, 1
	if err := r.pull(p, r.remote(), true); err != nil {
		t.Fatal(err)
	}
	r.same()
	if n := asked.Load(); n > 8 { // four chunks, two tries in vain, the digest
		t.Errorf("asked %d times", n)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	r.wrap = func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { cancel(); <-q.Context().Done() })
	}
	if err := os.WriteFile(r.target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := r.puller(pki.Volumed, "node2").Pull(ctx, r.remote(), r.target, length, true, func(int64) {})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestBudget: with a budget of next to nothing on either side, nothing comes.
func TestBudget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, little := r.puller(pki.Volumed, "node2"), pace.New(1)
	r.lend()
	ctx, cancel := context.WithTimeout(pace.With(t.Context(), little.Copy()), 200*time.Millisecond)
	defer cancel()
	fetch := func(ctx context.Context) error {
		return p.Pull(ctx, r.remote(), r.target, length, true, func(int64) {})
	}
	if err := os.WriteFile(r.target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := fetch(ctx); !errors.Is(err, context.DeadlineExceeded) && !fault.Is(err, fault.Timeout) {
		t.Errorf("the puller's budget was not asked: %v", err)
	}
	r.lender.End(volume)
	if err := r.lender.Lend(r.loan(), little.Copy()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := fetch(ctx); !errors.Is(err, context.DeadlineExceeded) && !fault.Is(err, fault.Timeout) {
		t.Errorf("the lender's budget was not asked: %v", err)
	}
}

// TestOwn: between two pools of one node nothing crosses the network.
func TestOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.server.Close()
	loan := r.loan()
	loan.Reader = ""
	if err := r.lender.Lend(loan, free); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(r.target, nil, 0o600), os.Truncate(r.target, length)); err != nil {
		t.Fatal(err)
	}
	p := NewPuller(Options{})
	if err := p.PullOwn(t.Context(), r.lender, r.remote(), r.target, length, true, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	r.same()
	other := r.remote()
	other.Token = "other"
	if err := p.PullOwn(t.Context(), r.lender, other, r.target, length, true, func(int64) {}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestIndexOf(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]int64{
		fmt.Sprintf("bytes=0-%d", chunkBytes-1):            0,
		fmt.Sprintf("bytes=%d-%d", 3*chunkBytes, length-1): 3,
		"":                                    -1,
		"bytes=0-0":                           -1,
		"bytes=1-4194304":                     -1,
		"bytes=-5-1":                          -1,
		"bytes=99999999999999-99999999999999": -1,
	} {
		got, err := indexOf(header, length)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, %v", header, got, err)
		}
	}
}

func FuzzIndexOf(f *testing.F) {
	f.Add("bytes=0-4194303", int64(length))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size <= 0 {
			return
		}
		index, err := indexOf(header, size)
		if err == nil && (index < 0 || index >= chunks(size)) {
			t.Errorf("%q: chunk %d of %d", header, index, chunks(size))
		}
	})
}

// TestZeroMap: the runs cover the chunk, and a chunk taken apart is the same one.
func TestZeroMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		chunk := make([]byte, 512*rapid.IntRange(1, chunkBytes/512).Draw(t, "sectors"))
		for i := range blocks(len(chunk)) {
			if rapid.Bool().Draw(t, "data") {
				block := blockOf(chunk, i, i+1)
				block[rapid.IntRange(0, len(block)-1).Draw(t, "at")] = 1
			}
		}
		z, covered := zeroesOf(chunk), 0
		var body bytes.Buffer
		_ = z.runs(len(chunk), func(from, to int, zero bool) error {
			if from != covered || to <= from {
				t.Fatalf("a run from %d to %d behind %d", from, to, covered)
			}
			if covered = to; !zero {
				body.Write(blockOf(chunk, from, to))
			}
			return nil
		})
		if covered != blocks(len(chunk)) || body.Len() != sent(z, len(chunk)) {
			t.Fatalf("%d blocks of %d, %d bytes of %d", covered, blocks(len(chunk)), body.Len(), sent(z, len(chunk)))
		}
		back := make([]byte, len(chunk))
		_ = z.runs(len(chunk), func(from, to int, zero bool) error {
			if !zero {
				_, err := io.ReadFull(&body, blockOf(back, from, to))
				return err
			}
			return nil
		})
		if !bytes.Equal(back, chunk) || digestOf(z, back) != digestOf(z, chunk) {
			t.Fatal("the chunk is not the same")
		}
	})
}

func TestTokenPrintsAsStars(t *testing.T) {
	t.Parallel()
	if text := fmt.Sprintf("%v %+v %#v", token, Remote{Token: token}, Remote{Token: token}); strings.Contains(text, string(token)) {
		t.Error(text)
	}
}
