package backup

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"clinker/internal/fault"
)

// defaultWorkers overlap reading, computing and the store's answers.
const defaultWorkers = 6

// creation is a backup that is being made.
type creation struct {
	*Store
	Request
	manifest Manifest
	table    []entry
	parent   *Manifest // nil for a full one
	before   []entry   // the parent's table, by this one's owners

	mu    sync.Mutex
	known map[digest]*object // objects that need not be stored again
	bytes atomic.Int64       // done

	scratch sync.Mutex // of read, into which what an interrupted attempt stored is read
	read    []byte

	dir string // of its objects
}

// object is one that a table can name.
type object struct {
	owner int32
	bytes int64         // of one of its own
	used  bool          // by the table
	found bool          // of an interrupted attempt, and nobody has looked at it since
	ready chan struct{} // closed when it is stored; nil: it was there
	err   error         // after ready
}

// Create makes a backup. It does nothing when there is one of that place already
// and of the same volume; what an interrupted one stored there is used. There is no
// backup unless it returns nil. NotFound when there is no parent, Invalid when that
// is damaged or of another volume, Conflict when the place has a backup of something
// else, Stale when another node has taken it away meanwhile.
func (s *Store) Create(ctx context.Context, r Request) (*Manifest, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := s.Open(ctx); err != nil {
		return nil, err
	}
	if m, err := s.Manifest(ctx, r.Place); !fault.Is(err, fault.NotFound) {
		if err = r.same(m, err); err == nil {
			err = s.Driver.Flush(ctx, r.Place.manifests()) // an earlier attempt may have died before this
		}
		return m, err
	}
	c := &creation{Store: s, Request: r, known: map[digest]*object{}, dir: r.Place.data()}
	c.manifest = Manifest{
		Place: r.Place, VolumeID: r.VolumeID, Bytes: r.Bytes, CreatedAt: s.Now().Unix(), Parent: r.Parent,
		Metadata: r.Metadata, Basis: r.Basis, Format: manifestFormat, ChunkBytes: s.chunksOf(r.Bytes),
	}
	if err := c.inherit(ctx); err != nil {
		return nil, err
	}
	if err := c.resume(ctx); err != nil {
		return nil, err
	}
	c.table = blankTable(c.manifest.chunks())
	if err := c.copyAll(ctx); err != nil {
		return nil, err
	}
	return &c.manifest, c.finish(ctx)
}

// same is for a call that comes when there is a backup already.
func (r Request) same(m *Manifest, err error) error {
	if err == nil && (m.VolumeID != r.VolumeID || m.Bytes != r.Bytes) {
		return fault.New(fault.Conflict, "there is a backup %s of something else already", r.Place.ID)
	}
	return err
}

// inherit makes the parent's objects known.
func (c *creation) inherit(ctx context.Context) error {
	if c.Parent == nil {
		return nil
	}
	parent, err := c.Manifest(ctx, *c.Parent)
	if err != nil {
		return fault.Wrap(err, fault.CodeOf(err), "the backup that this one is to add to cannot be used: %s", fault.MessageOf(err))
	}
	if parent.VolumeID != c.VolumeID {
		return fault.New(fault.Invalid, "the backup that this one is to add to is of another volume")
	}
	if c.before, err = c.readTable(ctx, parent); err != nil {
		return err
	}
	c.parent = parent
	if c.Bytes/parent.ChunkBytes < maxChunks {
		c.manifest.ChunkBytes = parent.ChunkBytes // or else no digest would be the same
	}
	c.manifest.Needs = parent.owners()
	for i := range c.before {
		if e := &c.before[i]; e.owner != hole {
			e.owner++ // this backup is owner 0
			c.known[e.digest] = &object{owner: e.owner}
		}
	}
	return nil
}

// resume makes known what an interrupted attempt has stored. It is looked at before it
// is used: it may have been before a power cut.
func (c *creation) resume(ctx context.Context) error {
	return c.own(ctx, func(o Object) {
		if d, ok := parseDigest(o.Key[len(c.dir)+1:]); ok && c.known[d] == nil {
			c.known[d] = &object{bytes: o.Bytes, found: true}
		}
	})
}

// own visits what the store has of this backup, and no more than several attempts may
// have left: a store that lists without end is not listened to. What is left out is
// stored again, or stays until the backup is taken away.
func (c *creation) own(ctx context.Context, visit func(Object)) error {
	left := 1000 + 4*c.manifest.chunks()
	return c.Driver.List(ctx, c.dir, "", func(o Object) bool {
		visit(o)
		left--
		return left > 0
	})
}

// copyAll reads what has to be read and stores what has to be stored.
func (c *creation) copyAll(ctx context.Context) error {
	from, err := openSource(c.Path, c.Bytes)
	if err != nil {
		return err
	}
	defer from.Close()
	group, within := errgroup.WithContext(ctx)
	chunks := make(chan int64, c.Workers)
	group.Go(func() error {
		defer close(chunks)
		return c.plan(within, from, chunks)
	})
	for range c.Workers {
		group.Go(func() error { return c.work(within, from, chunks) })
	}
	err = group.Wait()
	if ctx.Err() != nil {
		return fault.Wrap(ctx.Err(), fault.Timeout, "the backup was cut short")
	}
	return err
}

// advance tells progress.
func (c *creation) advance(bytes int64) { c.Progress(c.bytes.Add(bytes)) }
