package s3

import (
	"bytes"
	"sync"
)

// loan is memory that is read from until its end. A request that was given up may be
// sent on for a while after its caller has been told (http.RoundTripper), and what the
// memory is of may be the caller's no more then.
type loan struct {
	mu   sync.RWMutex // reading holds it shared
	data []byte       // nil when it has ended
}

// ReadAt implements io.ReaderAt.
func (l *loan) ReadAt(p []byte, at int64) (int, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return bytes.NewReader(l.data).ReadAt(p, at)
}

// end returns when nobody reads the memory any more, and nobody will.
func (l *loan) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.data = nil
}
