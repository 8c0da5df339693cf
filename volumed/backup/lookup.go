package backup

import (
	"context"
	"log/slog"

	"clinker/internal/fault"
)

// Manifest tells what the store says of a backup. NotFound when there is none that
// is whole, Invalid when it is damaged.
func (s *Store) Manifest(ctx context.Context, place Place) (*Manifest, error) {
	if err := place.Check(); err != nil {
		return nil, err
	}
	if err := s.Open(ctx); err != nil {
		return nil, err
	}
	return s.manifest(ctx, place, make([]byte, 0, 64<<10))
}

// manifest reads one, with a buffer to begin with.
func (s *Store) manifest(ctx context.Context, place Place, buffer []byte) (*Manifest, error) {
	object, err := s.Driver.Get(ctx, place.manifestKey(), buffer)
	if fault.Is(err, fault.Invalid) && cap(buffer) < maxManifestBytes {
		object, err = s.Driver.Get(ctx, place.manifestKey(), make([]byte, 0, maxManifestBytes))
	}
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, fault.New(fault.NotFound, "there is no backup %s in the container %s", place.ID, place.Container)
	case fault.Is(err, fault.Invalid):
		return nil, damaged("its manifest is too long")
	case err != nil:
		return nil, err
	}
	return s.keys.open(object, place)
}

// Manifests tells some of the whole backups in a container, in the order of their
// ids and beginning after one ("": with the first); none is the end. Those that are
// damaged are left out.
func (s *Store) Manifests(ctx context.Context, container, after string, most int) ([]*Manifest, error) {
	if err := CheckContainer(container); err != nil {
		return nil, err
	}
	if err := s.Open(ctx); err != nil {
		return nil, err
	}
	var all []*Manifest
	for len(all) == 0 {
		places, err := s.places(ctx, container, after, most)
		if err != nil || len(places) == 0 {
			return nil, err
		}
		buffer := make([]byte, 0, 64<<10)
		for _, p := range places {
			m, err := s.manifest(ctx, p, buffer)
			if err == nil {
				all = append(all, m)
			} else if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unsupported) {
				slog.WarnContext(ctx, "a backup is left out", "backup", p.ID, "container", container, "error", err)
			} else if !fault.Is(err, fault.NotFound) {
				return nil, err
			}
		}
		after = places[len(places)-1].ID
	}
	return all, nil
}

func (s *Store) places(ctx context.Context, container, after string, most int) (places []Place, err error) {
	folder := Place{Container: container}.manifests()
	if after != "" {
		after = folder + "/" + after
	}
	err = s.Driver.List(ctx, folder, after, func(o Object) bool {
		if p := (Place{ID: o.Key[len(folder)+1:], Container: container}); p.Check() == nil {
			places = append(places, p)
		}
		return len(places) < most
	})
	return places, err
}

// readTable reads and verifies a backup's table.
func (s *Store) readTable(ctx context.Context, m *Manifest) ([]entry, error) {
	codec, err := s.keys.newCodec(tablePieceBytes, false)
	if err != nil {
		return nil, err
	}
	defer codec.close()
	data := make([]byte, 0, m.TableBytes)
	piece := make([]byte, tablePieceBytes)
	for _, name := range m.Table {
		d, ok := parseDigest(name)
		if !ok {
			return nil, badTable
		}
		length := min(tablePieceBytes, m.TableBytes-int64(len(data)))
		part, err := s.fetch(ctx, codec, m.Place, d, piece, length)
		if err != nil {
			return nil, fault.Wrap(err, fault.CodeOf(err), "the table of backup %s: %s", m.ID, fault.MessageOf(err))
		}
		data = append(data, part...)
	}
	return decodeTable(data, m.chunks(), 1+len(m.Needs))
}
