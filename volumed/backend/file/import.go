package file

import (
	"context"
	"errors"
	"os"

	"clinker/volumed/backend"
)

// Import makes a sparse file and gives it its name when it is whole; see
// backend.Backend. What write does not write reads as zeroes.
func (b *Backend) Import(ctx context.Context, name string, size int64, write func(ctx context.Context, path string, blank bool) error) error {
	if err := errors.Join(backend.CheckName(name), backend.CheckSize(size)); err != nil {
		return err
	}
	if ok, err := b.exists(name, size); ok || err != nil {
		return err
	}
	return b.make(name, func(f *os.File) error {
		if err := f.Truncate(size); err != nil {
			return err
		}
		if err := write(ctx, f.Name(), true); err != nil {
			return err
		}
		return f.Truncate(size) // whoever wrote cannot have changed the length
	})
}
