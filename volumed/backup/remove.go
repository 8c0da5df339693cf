package backup

import "context"

// Remove takes a backup away, or what an interrupted one left; no error when there
// is neither. Others that need its objects cannot be restored afterwards.
func (s *Store) Remove(ctx context.Context, place Place) error {
	if err := place.Check(); err != nil {
		return err
	}
	if err := s.Open(ctx); err != nil {
		return err
	}
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
		if err != nil || len(keys) == 0 {
			return err
		}
		if err := s.Driver.Delete(ctx, keys); err != nil {
			return err
		}
	}
}
