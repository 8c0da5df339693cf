package backup

import (
	"context"

	"clinker/internal/fault"
)

// Remove takes a backup away, or what an interrupted one left; no error when there is
// neither, nor can be, as its container has no name that one can have. Others that need
// its objects cannot be restored afterwards. One that another node is making meanwhile
// ends there with Stale, and is taken away there.
func (s *Store) Remove(ctx context.Context, place Place) error {
	if err := place.CheckID(); err != nil {
		return err
	}
	if CheckContainer(place.Container) != nil {
		return nil
	}
	if err := s.Open(ctx); err != nil {
		return err
	}
	whole, err := s.hasManifest(ctx, place)
	if err == nil && !whole {
		err = s.markRemoved(ctx, place)
	}
	if fault.Is(err, fault.NoSpace) {
		return s.makeRoom(ctx, place)
	}
	if err != nil {
		return err
	}
	return s.takeAway(ctx, place)
}

// makeRoom takes what an interrupted backup left out of a store that is so full of it
// that not even the mark has room.
func (s *Store) makeRoom(ctx context.Context, place Place) error {
	if err := s.takeAway(ctx, place); err != nil {
		return err
	}
	if err := s.markRemoved(ctx, place); err != nil {
		return err
	}
	return s.takeAway(ctx, place) // what came before the mark
}

// hasManifest tells whether there is one, of whatever kind: one that is too long for a
// byte is there.
func (s *Store) hasManifest(ctx context.Context, place Place) (bool, error) {
	_, err := s.Driver.Get(ctx, place.manifestKey(), make([]byte, 0, 1))
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if fault.Is(err, fault.Invalid) {
		err = nil
	}
	return err == nil, err
}

// takeAway has the store forget a backup's manifest and then its objects.
func (s *Store) takeAway(ctx context.Context, place Place) error {
	if err := s.Driver.Delete(ctx, []string{place.manifestKey()}); err != nil {
		return err
	}
	// First nothing may say that there is a backup, then its objects may go.
	if err := s.Driver.Flush(ctx, place.manifests()); err != nil {
		return err
	}
	const most = 1000
	for {
		var keys []string
		err := s.Driver.List(ctx, place.data(), "", func(o Object) bool {
			keys = append(keys, o.Key)
			return len(keys) < most
		})
		if err == nil && len(keys) == 0 {
			return s.Driver.Flush(ctx, place.data()) // lest a power cut bring back what nobody would take away
		}
		if err != nil {
			return err
		}
		if err := s.Driver.Delete(ctx, keys); err != nil {
			return err
		}
	}
}
