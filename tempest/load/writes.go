package load

import (
	"context"
	"fmt"
	"slices"
)

// writes measures what changes volumes, on volumes that it makes for that.
func (s *session) writes(ctx context.Context, workers int) []Result {
	own := make([][]string, workers) // each worker's volumes: no two meet on one
	var results []Result
	for _, p := range []struct {
		name string
		work work
	}{
		{"create", func(w *worker, i int) (bool, error) {
			if s.Most > 0 && i >= (s.Most+workers-1)/workers {
				return true, nil
			}
			id, err := s.create(w)
			if err == nil {
				own[w.number] = append(own[w.number], id)
			}
			return false, err
		}},
		{"attach", onOwn(own, s.attach)},
		{"extend", s.grower(own)},
		{"delete", func(w *worker, _ int) (bool, error) {
			mine := own[w.number]
			if len(mine) == 0 {
				return true, nil
			}
			own[w.number] = mine[1:]
			return false, s.delete(w, mine[0])
		}},
		{"life", s.life},
	} {
		if slices.Contains(s.Phases, p.name) && ctx.Err() == nil {
			results = append(results, s.observe(ctx, p.name, workers, p.work))
		}
	}
	return results
}

// onOwn does something to the worker's volumes, one after the other and again.
func onOwn(own [][]string, do func(w *worker, id string) error) work {
	return func(w *worker, i int) (bool, error) {
		mine := own[w.number]
		if len(mine) == 0 {
			return true, nil
		}
		return false, do(w, mine[i%len(mine)])
	}
}

// grower extends each of the worker's volumes by 1 GiB, and then each again.
func (s *session) grower(own [][]string) work {
	return func(w *worker, i int) (bool, error) {
		mine := own[w.number]
		if len(mine) == 0 {
			return true, nil
		}
		return false, s.extend(w, mine[i%len(mine)], 2+i/len(mine))
	}
}

// life is one volume from its creation to its end: what a server's disk goes
// through that is attached once.
func (s *session) life(w *worker, _ int) (bool, error) {
	id, err := s.create(w)
	if err != nil {
		return false, err
	}
	if err := s.attach(w, id); err != nil {
		return false, err
	}
	if s.snapshots {
		if err := s.snapshot(w, id); err != nil {
			return false, err
		}
	}
	return false, s.delete(w, id)
}

// volume gives the body of a request for one.
func (s *session) volume() []byte {
	kind := ""
	if s.Type != "" {
		kind = fmt.Sprintf(`,"volume_type":%q`, s.Type)
	}
	return fmt.Appendf(nil, `{"volume":{"size":1,"name":"load","metadata":{"made-by":"load"}%s}}`, kind)
}
