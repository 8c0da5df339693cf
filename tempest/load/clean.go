package load

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

func (s *session) remember(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made[id] = true
}

func (s *session) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.made, id)
}

// clean deletes every volume that is left, each tried for as long as any volume
// is waited for. What an interruption left attached stays, and is named.
func (s *session) clean(ctx context.Context) error {
	left := slices.Collect(maps.Keys(s.made))
	ids := make(chan string)
	var all sync.WaitGroup
	for n := range slices.Max(s.Workers) {
		all.Go(func() {
			w := s.client.worker(n)
			for id := range ids {
				s.drop(w, id)
			}
		})
	}
	limit, cancel := context.WithTimeout(ctx, time.Duration(1+len(left)/100)*time.Minute)
	defer cancel()
	for _, id := range left {
		select {
		case ids <- id:
		case <-limit.Done():
		}
	}
	close(ids)
	all.Wait()
	if n := len(s.made); n > 0 {
		return fmt.Errorf("%d volumes named \"load\" could not be deleted, such as %s", n, slices.Sorted(maps.Keys(s.made))[0])
	}
	return nil
}

func (s *session) drop(w *worker, id string) {
	path := "/volumes/" + id
	if now, err := w.status(path); err == nil && now == gone {
		s.forget(id)
		return
	}
	_ = s.delete(w, id) // told by clean if it is still there
}
