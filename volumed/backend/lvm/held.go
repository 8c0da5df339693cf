package lvm

import (
	"sync"
	"time"

	"clinker/volumed/backend"
)

// held are the trash names that this process is working on: what will become a
// volume, and snapshots that a copy reads from. Everything else of such a name
// is waste. A new process holds nothing.
type held struct {
	nameSet
	last int64
}

// trashName gives a name in trash that nothing has had, for a logical volume. The clock
// makes it so over restarts.
func (h *held) trashName(old string) string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.last = max(h.last+1, time.Now().UnixNano())
	return backend.TrashName(volumeOf(old), h.last)
}

// hold keeps a name out of Trash until release is called.
func (h *held) hold(name string) (release func()) {
	h.add(name)
	return func() { h.remove(name) }
}

// progress remembers how far wipes have come that were cut short, so that this
// process need not begin them again.
type progress struct {
	mutex sync.Mutex
	bytes map[string]int64
}

// of gives what is still to be wiped of a name, all when nothing is known.
func (p *progress) of(name string, all int64) int64 {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if left, ok := p.bytes[name]; ok {
		return left
	}
	return all
}

func (p *progress) set(name string, left int64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.bytes == nil {
		p.bytes = map[string]int64{}
	}
	p.bytes[name] = left
}

func (p *progress) forget(name string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.bytes, name)
}
