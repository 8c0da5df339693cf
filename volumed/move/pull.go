package move

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"clinker/internal/direct"
	"clinker/internal/fault"
	"clinker/internal/pace"
)

// Options of a Puller.
type Options struct {
	// TLS shows this node's certificate, and believes other storage nodes'.
	TLS *tls.Config
	// Parallel is how many chunks are under way at once; 4.
	Parallel int
	// Patience is how long the other node may give nothing; 2 min. It may be
	// started anew meanwhile: what has come is kept.
	Patience time.Duration
}

// Puller fetches volumes from other nodes. It may be used by many goroutines at
// once.
type Puller struct {
	Options
	client *http.Client
}

// NewPuller gives a Puller. Connections are HTTP/1.1, one for each chunk that is
// under way: over one of HTTP/2 they would wait for each other.
func NewPuller(o Options) *Puller {
	if o.Parallel <= 0 {
		o.Parallel = 4
	}
	if o.Patience <= 0 {
		o.Patience = 2 * time.Minute
	}
	p := &Puller{Options: o}
	p.client = &http.Client{
		Transport: &http.Transport{
			DialTLSContext:      p.dial,
			MaxIdleConnsPerHost: o.Parallel,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true,
			ReadBufferSize:      256 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return p
}

// recordsBytes is how much of the network is read at once: TLS puts 16 KiB into a
// record, and would read each by itself.
const recordsBytes = 256 << 10

// dial gives a connection with mutual TLS.
func (p *Puller) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	plain, err := (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := p.TLS.Clone()
	if config.ServerName == "" {
		config.ServerName, _, err = net.SplitHostPort(address)
	}
	if err == nil {
		conn := tls.Client(buffered{plain, bufio.NewReaderSize(plain, recordsBytes)}, config)
		if err = conn.HandshakeContext(ctx); err == nil {
			return conn, nil
		}
	}
	return nil, errors.Join(err, plain.Close())
}

// buffered is a connection of which much is read at once.
type buffered struct {
	net.Conn
	from *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.from.Read(p) }

// Remote is a volume on another node.
type Remote struct {
	Endpoint   string // https://address:port
	Volume     string // its id
	Generation int64
	Token      Token
}

// Pull writes another node's volume onto a device or file of that many bytes,
// which reads as zeroes when it is blank. progress is told the bytes that are
// there. Unavailable when the other node gave nothing for longer than Patience;
// Conflict when what came is not what is there. After an error what was written
// must be given up. What comes is spent from ctx's share of the budget.
func (p *Puller) Pull(ctx context.Context, from Remote, path string, bytes int64, blank bool, progress func(done int64)) error {
	url := strings.TrimSuffix(from.Endpoint, "/") + Path + from.Volume + "/" + strconv.FormatInt(from.Generation, 10)
	return p.pull(ctx, remote{client: p.client, url: url, token: from.Token, bytes: bytes}, path, bytes, blank, progress)
}

// PullOwn is Pull of a volume that a Lender of this very node lends.
func (p *Puller) PullOwn(ctx context.Context, l *Lender, from Remote, path string, bytes int64, blank bool, progress func(done int64)) error {
	n := l.find(from.Volume, from.Generation, string(from.Token))
	if n == nil || n.Bytes != bytes {
		return fault.New(fault.Unavailable, "the volume is not lent on this node")
	}
	return p.pull(ctx, own{n}, path, bytes, blank, progress)
}

// pulling is one Pull.
type pulling struct {
	*Puller
	from  source
	to    *os.File
	bytes int64
	blank bool

	digests  []digest // what has arrived, by chunk
	next     atomic.Int64
	done     atomic.Int64 // bytes
	lastGood atomic.Int64 // when something came, in Unix nanoseconds
}

func (p *Puller) pull(ctx context.Context, from source, path string, bytes int64, blank bool, progress func(int64)) error {
	to, err := direct.OpenSized(path, os.O_WRONLY, bytes)
	if err != nil {
		return err
	}
	defer to.Close()
	w := &pulling{Puller: p, from: from, to: to, bytes: bytes, blank: blank, digests: make([]digest, chunks(bytes))}
	w.lastGood.Store(time.Now().UnixNano())
	group, within := errgroup.WithContext(ctx)
	for range min(int64(p.Parallel), chunks(bytes)) {
		group.Go(func() error { return w.work(within, progress) })
	}
	if err := group.Wait(); err != nil {
		return ended(ctx, err)
	}
	if err := w.verify(ctx); err != nil {
		return ended(ctx, err)
	}
	return to.Sync()
}

// ended says that it was the caller who ended it, if it was.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// work brings one chunk after the other.
func (w *pulling) work(ctx context.Context, progress func(int64)) error {
	memory, release, err := buffer()
	if err != nil {
		return err
	}
	defer release()
	for {
		index := w.next.Add(1) - 1
		if index >= chunks(w.bytes) {
			return nil
		}
		at, length := extent(index, w.bytes)
		chunk := memory[:length]
		z, d, err := w.fetch(ctx, index, chunk)
		if err != nil {
			return err
		}
		if err := pace.Spend(ctx, int64(sent(z, length))); err != nil {
			return err
		}
		if err := write(w.to, at, chunk, z, w.blank); err != nil {
			return err
		}
		w.digests[index] = d
		progress(w.done.Add(int64(length)))
	}
}

// damaged is how often a chunk may arrive other than it was sent.
const damaged = 3

// fetch brings a chunk that is as it was sent.
func (w *pulling) fetch(ctx context.Context, index int64, into []byte) (z zeroMap, d digest, err error) {
	for range damaged {
		err = w.patiently(ctx, func() (err error) {
			z, d, err = w.from.chunk(ctx, index, into)
			return err
		})
		if err != nil || digestOf(z, into) == d {
			return z, d, err
		}
	}
	return z, d, fault.New(fault.Conflict, "what arrived of the volume is not what was sent, %d times", damaged)
}

// errDiffers is what the last comparison is for.
var errDiffers = fault.New(fault.Conflict, "the digest of what arrived is not that of the volume")

// verify compares what arrived with what the other side says that there is.
func (w *pulling) verify(ctx context.Context) (err error) {
	var whole digest
	err = w.patiently(ctx, func() (err error) {
		whole, err = w.from.whole(ctx)
		return err
	})
	if err == nil && whole != wholeOf(w.bytes, w.digests) {
		err = errDiffers
	}
	return err
}

// pause is how long is waited before a further try.
const pause = 250 * time.Millisecond

// patiently tries again what may be had later.
func (w *pulling) patiently(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			w.lastGood.Store(time.Now().UnixNano())
			return nil
		}
		if !fault.Is(err, fault.Unavailable) || time.Since(time.Unix(0, w.lastGood.Load())) > w.Patience {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		case <-timer.C:
		}
	}
}
