package load

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// read is a phase that is about the volumes that fill makes.
type read struct {
	phase string
	work  work
}

func (s *session) reads() []read {
	return []read{{"list 1000", s.listDetail}, {"list 50", s.listPage}, {"show", s.show}}
}

// fill brings the project to the number of volumes that the lists list. Its
// pace is that of creating with all workers.
func (s *session) fill(ctx context.Context) Result {
	workers := slices.Max(s.Workers)
	end := s.Observe("fill", workers)
	each := (s.Volumes + workers - 1) / workers
	b := &bout{phase: "fill", workers: workers, duration: time.Hour, do: func(w *worker, i int) (bool, error) {
		if i >= each || w.number*each+i >= s.Volumes {
			return true, nil
		}
		id, err := s.create(w)
		if err != nil {
			return false, err
		}
		s.mu.Lock()
		s.filled = append(s.filled, id)
		s.mu.Unlock()
		return false, nil
	}}
	result := b.run(ctx, s.client)
	end(&result)
	return result
}

// listDetail asks for the default page in detail: 1,000 with Cinder's default
// osapi_max_limit.
func (s *session) listDetail(w *worker, _ int) (bool, error) {
	return false, w.read("/volumes/detail", `attachments`, min(s.Volumes, 1000))
}

func (s *session) listPage(w *worker, _ int) (bool, error) {
	return false, w.read("/volumes?limit=50", `id`, min(s.Volumes, 50))
}

// show asks for one volume after the other, each worker for its own.
func (s *session) show(w *worker, i int) (bool, error) {
	id := s.filled[(w.number*31+i)%len(s.filled)]
	return false, w.read("/volumes/"+id, "attachments", 1)
}

// read asks for a page and counts what is on it by a key that each item has
// once; fewer than there must be is an error.
func (w *worker) read(path, key string, least int) error {
	body, err := w.call("GET", path, nil)
	if err != nil {
		return err
	}
	w.answerBytes = max(w.answerBytes, len(body))
	if n := count(body, key); n < least {
		return fmt.Errorf("GET %s: %d items where there are at least %d", path, n, least)
	}
	return nil
}
