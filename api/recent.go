package api

import (
	"sync"
	"time"
)

// recent remembers for a moment what hardly ever changes and every request of a
// kind asks for. Only what was found is remembered.
type recent[K comparable, V any] struct {
	age time.Duration

	mu    sync.Mutex
	known map[K]moment[V]
}

type moment[V any] struct {
	value V
	read  time.Time
}

// get gives what was read at most an age ago, or else reads it.
func (r *recent[K, V]) get(key K, read func() (V, error)) (V, error) {
	asked := time.Now()
	r.mu.Lock()
	m, found := r.known[key]
	r.mu.Unlock()
	if found && asked.Sub(m.read) <= r.age {
		return m.value, nil
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[K]moment[V]{}
	}
	r.known[key] = moment[V]{value, asked}
	return value, nil
}
