package backup

import (
	"context"
	"errors"
	"os"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"clinker/internal/direct"
	"clinker/internal/fault"
	"clinker/internal/pace"
)

// Target is what a backup is restored to.
type Target struct {
	Path     string // of a device or file that nobody else has open
	Bytes    int64  // how much of it: what lies behind the backup's end becomes zeroes
	Blank    bool   // it reads as zeroes, which then are not written
	Progress func(done int64)
}

// restoration is a restore under way.
type restoration struct {
	*Store
	Target
	manifest *Manifest
	table    []entry
	to       *os.File
	done     atomic.Int64
}

// Restore writes a backup onto a device or file, every chunk verified before it is
// written, and has it on the disk when it returns nil. Invalid when the backup is
// longer than the target, or damaged: the message says where; NotFound when there is
// none. After an error the target holds some of it.
func (s *Store) Restore(ctx context.Context, place Place, t Target) error {
	m, err := s.Manifest(ctx, place)
	if err != nil {
		return err
	}
	if m.Bytes > t.Bytes {
		return fault.New(fault.Invalid, "the backup has %d bytes and does not fit into a volume of %d", m.Bytes, t.Bytes)
	}
	r := &restoration{Store: s, Target: t, manifest: m}
	if r.table, err = s.readTable(ctx, m); err != nil {
		return err
	}
	if r.to, err = direct.Open(t.Path, os.O_RDWR); err != nil {
		return err
	}
	defer r.to.Close()
	if err := r.writeAll(ctx); err != nil {
		return explain(err)
	}
	return r.to.Sync()
}

// Verify reads and verifies every chunk of a backup, as a restore would, and writes
// nothing. Invalid when it is damaged: the message says where.
func (s *Store) Verify(ctx context.Context, place Place, progress func(done int64)) error {
	m, err := s.Manifest(ctx, place)
	if err != nil {
		return err
	}
	r := &restoration{Store: s, Target: Target{Bytes: m.Bytes, Blank: true, Progress: progress}, manifest: m}
	if r.table, err = s.readTable(ctx, m); err != nil {
		return err
	}
	return r.writeAll(ctx)
}

// writeAll writes the chunks in any order.
func (r *restoration) writeAll(ctx context.Context) error {
	group, within := errgroup.WithContext(ctx)
	chunks := make(chan int64, r.Workers)
	group.Go(func() error {
		defer close(chunks)
		return r.plan(within, chunks)
	})
	for range r.Workers {
		group.Go(func() error { return r.work(within, chunks) })
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return fault.Wrap(ctx.Err(), fault.Timeout, "the restore was cut short")
	}
	return err
}

// plan sends the numbers of the chunks that have bytes, and makes the others zeroes.
func (r *restoration) plan(ctx context.Context, chunks chan<- int64) error {
	size, count := r.manifest.ChunkBytes, r.manifest.chunks()
	// A chunk that ends within a block is written to the block's end.
	end := min(r.Bytes, direct.Whole(r.manifest.Bytes))
	for i := int64(0); i < count; i++ {
		if r.table[i].owner == hole {
			if err := r.blank(ctx, i*size, min(size, end-i*size)); err != nil {
				return err
			}
			r.Progress(r.done.Add(r.manifest.lengthOf(i)))
			continue
		}
		select {
		case chunks <- i:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for at := end; at < r.Bytes; at += size {
		if err := r.blank(ctx, at, min(size, r.Bytes-at)); err != nil {
			return err
		}
	}
	return nil
}

// blank makes a stretch of the target zeroes.
func (r *restoration) blank(ctx context.Context, at, bytes int64) error {
	if r.Blank {
		return ctx.Err()
	}
	if err := pace.Spend(ctx, bytes); err != nil {
		return err
	}
	return zero(r.to, at, bytes)
}

func (r *restoration) work(ctx context.Context, chunks <-chan int64) error {
	buffer, free, err := direct.Mapped(int(r.manifest.ChunkBytes))
	if err != nil {
		return err
	}
	defer free()
	codec, err := r.keys.newCodec(r.manifest.ChunkBytes, false)
	if err != nil {
		return err
	}
	defer codec.close()
	owners := r.manifest.owners()
	for i := range chunks {
		if err := ctx.Err(); err != nil {
			return err
		}
		at, length, e := i*r.manifest.ChunkBytes, r.manifest.lengthOf(i), r.table[i]
		chunk, err := r.fetch(ctx, codec, owners[e.owner], e.digest, buffer, length)
		if err != nil {
			return r.blame(err, owners[e.owner], at)
		}
		if err := pace.Spend(ctx, length); err != nil {
			return err
		}
		if r.to == nil { // it was to be verified only
			r.Progress(r.done.Add(length))
			continue
		}
		if err := r.write(r.whole(chunk, at), at); err != nil {
			return err
		}
		r.Progress(r.done.Add(length))
	}
	return nil
}

// blame says which chunk it is that cannot be had.
func (r *restoration) blame(err error, owner Place, at int64) error {
	if !fault.Is(err, fault.Invalid) {
		return err
	}
	if owner == r.manifest.Place {
		return fault.Wrap(err, fault.Invalid, "%s (the chunk at byte %d)", fault.MessageOf(err), at)
	}
	return fault.Wrap(err, fault.Invalid, "%s (the chunk at byte %d, which backup %s has)", fault.MessageOf(err), at, owner.ID)
}

// whole adds zeroes, which are to follow, to a chunk that does not end with a block.
func (r *restoration) whole(chunk []byte, at int64) []byte {
	end := min(int64(cap(chunk)), direct.Whole(int64(len(chunk))), r.Bytes-at)
	clear(chunk[len(chunk):end])
	return chunk[:end]
}

// writeBlocks writes around the page cache, but the end of a target that does not end
// with a block.
func (r *restoration) writeBlocks(data []byte, at int64) error {
	blocks := data[:len(data)/direct.Block*direct.Block]
	if _, err := r.to.WriteAt(blocks, at); err != nil {
		return err
	}
	if len(blocks) == len(data) {
		return nil
	}
	f, err := os.OpenFile(r.Path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data[len(blocks):], at+int64(len(blocks)))
	return errors.Join(err, f.Sync(), f.Close())
}

// write leaves the pieces out that are zeroes already.
func (r *restoration) write(chunk []byte, at int64) error {
	for start := 0; start < len(chunk); {
		end := start
		for end < len(chunk) && !(r.Blank && blank(pieceOf(chunk, end))) {
			end += len(pieceOf(chunk, end))
		}
		if end > start {
			if err := r.writeBlocks(chunk[start:end], at+int64(start)); err != nil {
				return err
			}
		}
		start = end
		if start < len(chunk) {
			start += len(pieceOf(chunk, start))
		}
	}
	return nil
}

// pieceOf gives the piece that begins there; a thin pool's blocks are no smaller.
func pieceOf(chunk []byte, at int) []byte { return chunk[at:min(at+len(zeroes), len(chunk))] }

// explain makes a fault of what the kernel said.
func explain(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fault.Wrap(err, fault.NoSpace, "there is not enough room for the backup in the pool")
	}
	return err
}
