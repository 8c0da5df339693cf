package move

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"os"
	"sync"
	"time"

	"clinker/internal/fault"
	"clinker/internal/pace"
)

// Token is what a puller shows besides its certificate; it prints as stars.
type Token string

// String hides the token from logs and error texts.
func (Token) String() string { return "***" }

// GoString hides the token from %#v.
func (Token) GoString() string { return `"***"` }

// minToken is how long a token must be, in characters: one that is shorter was
// not made at random.
const minToken = 32

// Loan says what is lent to whom.
type Loan struct {
	Volume     string // its id
	Generation int64  // of its row, when the move began
	Pool       string // backend#pool that it is in
	Path       string // of its device or file
	Bytes      int64
	Reader     string // host name or address that the reader's certificate must be valid for; "" for nobody but this node
	Token      Token
}

// loan is a Loan that is open.
type loan struct {
	Loan
	token [sha256.Size]byte // all that is kept of it
	share *pace.Copy        // of the budget
	until *time.Timer

	mu     sync.RWMutex // reading holds it shared
	file   *os.File     // nil once it has ended
	digest struct {
		sync.Mutex
		known []bool
		of    []digest
	}
}

// Lender lends volumes. It may be used by many goroutines at once. What it lends
// is forgotten when its process ends: the control plane lends it again.
type Lender struct {
	term time.Duration

	mu    sync.Mutex
	loans map[string]*loan // by volume
}

// NewLender gives a Lender whose loans last for the term unless they are
// prolonged.
func NewLender(term time.Duration) *Lender {
	return &Lender{term: term, loans: map[string]*loan{}}
}

// Lend opens a volume to its reader, or prolongs the loan when it is the same
// one. What is sent of it comes out of the share. A loan of an older generation
// ends; Stale when there is a newer one.
func (l *Lender) Lend(wanted Loan, share *pace.Copy) error {
	if len(wanted.Token) < minToken {
		return fault.New(fault.Invalid, "the token is shorter than %d characters", minToken)
	}
	key := sha256.Sum256([]byte(wanted.Token))
	wanted.Token = ""
	l.mu.Lock()
	defer l.mu.Unlock()
	have := l.loans[wanted.Volume]
	switch {
	case have != nil && have.Generation > wanted.Generation:
		return fault.New(fault.Stale, "the volume is lent in generation %d", have.Generation)
	case have != nil && have.Loan == wanted && subtle.ConstantTimeCompare(have.token[:], key[:]) == 1:
		have.until.Reset(l.term)
		return nil
	}
	file, err := openSource(wanted.Path, wanted.Bytes)
	if err != nil {
		return err
	}
	if have != nil {
		have.end()
	}
	n := &loan{Loan: wanted, token: key, share: share, file: file}
	n.digest.known, n.digest.of = make([]bool, chunks(wanted.Bytes)), make([]digest, chunks(wanted.Bytes))
	n.until = time.AfterFunc(l.term, func() { l.drop(n) })
	l.loans[wanted.Volume] = n
	return nil
}

// End ends the loan of a volume, if there is one; when it returns, nobody reads
// it any more and nothing has it open.
func (l *Lender) End(volume string) {
	l.mu.Lock()
	have := l.loans[volume]
	delete(l.loans, volume)
	l.mu.Unlock()
	if have != nil {
		have.end()
	}
}

// Overtaken ends the loan of a volume that work of a newer generation is about
// to change.
func (l *Lender) Overtaken(volume string, generation int64) {
	l.mu.Lock()
	have := l.loans[volume]
	l.mu.Unlock()
	if have != nil && have.Generation < generation {
		l.drop(have)
	}
}

// Close ends all loans.
func (l *Lender) Close() {
	l.mu.Lock()
	all := l.loans
	l.loans = map[string]*loan{}
	l.mu.Unlock()
	for _, have := range all {
		have.end()
	}
}

// drop ends a loan that was not prolonged.
func (l *Lender) drop(n *loan) {
	l.mu.Lock()
	if l.loans[n.Volume] == n {
		delete(l.loans, n.Volume)
	}
	l.mu.Unlock()
	n.end()
}

// find gives the loan that a token is for, nil when there is none.
func (l *Lender) find(volume string, generation int64, token string) *loan {
	key := sha256.Sum256([]byte(token))
	l.mu.Lock()
	defer l.mu.Unlock()
	have := l.loans[volume]
	if have == nil || have.Generation != generation || subtle.ConstantTimeCompare(have.token[:], key[:]) != 1 {
		return nil
	}
	return have
}

func (n *loan) end() {
	n.until.Stop()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.file != nil {
		_ = n.file.Close() // it was only read
		n.file = nil
	}
}

// errEnded is why a chunk is not read.
var errEnded = fault.New(fault.NotFound, "the volume is not lent any more")

// read reads a chunk and remembers its digest.
func (n *loan) read(index int64, into []byte) (zeroMap, digest, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.file == nil {
		return 0, digest{}, errEnded
	}
	z, err := read(n.file, index*chunkBytes, into)
	if err != nil {
		return 0, digest{}, err
	}
	d := digestOf(z, into)
	n.digest.Lock()
	defer n.digest.Unlock()
	n.digest.known[index], n.digest.of[index] = true, d
	return z, d, nil
}

// whole gives the digest of all that was read. What has not been read since this
// process started is read for it, as long as the time lasts; false when it was
// too short, and a next call goes on.
func (n *loan) whole(ctx context.Context) (digest, bool, error) {
	memory, release, err := buffer()
	if err != nil {
		return digest{}, false, err
	}
	defer release()
	for index := range chunks(n.Bytes) {
		n.digest.Lock()
		known := n.digest.known[index]
		n.digest.Unlock()
		if known {
			continue
		}
		if ctx.Err() != nil {
			return digest{}, false, nil
		}
		_, length := extent(index, n.Bytes)
		if _, _, err := n.read(index, memory[:length]); err != nil {
			return digest{}, false, err
		}
	}
	n.digest.Lock()
	defer n.digest.Unlock()
	return wholeOf(n.Bytes, n.digest.of), true, nil
}
