package backup

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"clinker/internal/fault"
)

// A backup that is taken away before it is whole may be in the making on a node that
// nobody reaches at the moment but the store. A mark in the store tells that node: it
// is there before the backup's objects go, and is looked for when the manifest is
// there, so that one of the two nodes sees what the other did.
const (
	removedMarks = ".clinker/removed"
	maxMark      = 4 << 10
	// keepMark is longer than any node works on a backup.
	keepMark = 48 * time.Hour
	// marksAtOnce bounds what one removal looks at of earlier ones.
	marksAtOnce = 1000
)

// mark is the object that says so of a backup.
type mark struct {
	Place
	At int64 `json:"at"` // Unix time, by the clock of who took it away
}

func (p Place) markKey() string { return removedMarks + "/" + p.ID }

// markRemoved leaves a mark, durably, and clears away what is marked for long.
func (s *Store) markRemoved(ctx context.Context, place Place) error {
	if err := s.clearMarks(ctx); err != nil {
		return err
	}
	text, err := json.Marshal(mark{place, s.Now().Unix()})
	if err == nil {
		err = s.Driver.Put(ctx, place.markKey(), text)
	}
	if err != nil {
		return err
	}
	return s.Driver.Flush(ctx, removedMarks)
}

// removed tells whether a backup has been taken away while it was made.
func (s *Store) removed(ctx context.Context, place Place) (bool, error) {
	m, err := s.readMark(ctx, place.markKey())
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return m.Place == place, err
}

// readMark gives the zero mark for what is none.
func (s *Store) readMark(ctx context.Context, key string) (m mark, err error) {
	text, err := s.Driver.Get(ctx, key, make([]byte, 0, maxMark))
	if fault.Is(err, fault.Invalid) {
		return m, nil
	}
	if err == nil && (json.Unmarshal(text, &m) != nil || m.markKey() != key || m.Check() != nil) {
		m = mark{}
	}
	return m, err
}

// clearMarks takes old marks away, and before each what a node has stored behind its
// back that was killed before it looked.
func (s *Store) clearMarks(ctx context.Context) error {
	var keys []string
	err := s.Driver.List(ctx, removedMarks, "", func(o Object) bool {
		keys = append(keys, o.Key)
		return len(keys) < marksAtOnce
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		m, err := s.readMark(ctx, key)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if m.ID == "" || s.Now().Sub(time.Unix(m.At, 0)) < keepMark {
			continue
		}
		slog.InfoContext(ctx, "the mark of a backup that was taken away while it was made is old, and goes", "backup", m.ID)
		// One that is whole somebody has brought back.
		whole, err := s.hasManifest(ctx, m.Place)
		if err == nil && !whole {
			err = s.takeAway(ctx, m.Place)
		}
		if err != nil {
			return err
		}
		if err := s.Driver.Delete(ctx, []string{key}); err != nil {
			return err
		}
	}
	return nil
}
