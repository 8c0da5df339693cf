package volumed

import (
	"context"
	"crypto/tls"
	"time"

	"golang.org/x/sync/semaphore"

	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/volumed/backend"
	"clinker/volumed/copy"
	"clinker/volumed/diskio"
	"clinker/volumed/journal"
	"clinker/volumed/move"
	"clinker/volumed/rpc"
	"clinker/volumed/target"
)

// DiskIO measures the disks under a pool, by kernel names (sda, dm-3).
type DiskIO interface {
	Read(disks []string) diskio.IO
}

// Pool is one pool of the node and how it is exported.
type Pool struct {
	Backend   string // the configuration's section
	Name      string // in Cinder's host form host@backend#name
	Storage   backend.Backend
	Target    target.Target
	IQNPrefix string   // iqn.2010-10.org.openstack:
	Throttle  Throttle // nil where nothing limits volumes; says so by QoS_support

	AvailabilityZone         string
	MaxOverSubscriptionRatio float64
	ReservedPercentage       int
	Capabilities             map[string]string
	WipeBytesPerSecond       int64        // budget for zeroing what was deleted; 0: no bound
	CopyBudget               *pace.Budget // of operations in this pool that copy; nil: no bound

	// Open is for a pool whose Storage could not be opened, because of Trouble: it is
	// called until it succeeds.
	Open    func(context.Context) (backend.Backend, error)
	Trouble error
}

// Options of a Server.
type Options struct {
	Node    rpc.Node // its UUID and backends are filled in
	Pools   []Pool
	Journal *journal.Journal // stays the caller's, to be closed after Run
	DiskIO  DiskIO
	Copier  *copy.Copier // of images; nil for a node that copies none
	Backups *Backups     // nil for a node that keeps none
	// CompressUploads has the images that are made of volumes compressed, where
	// their format can be (image_compress_on_upload).
	CompressUploads bool

	// Peers shows this node's certificate to other storage nodes, and believes
	// theirs; nil for a node that fetches volumes only from its own pools.
	Peers *tls.Config
	// LoanTerm is how long a volume is lent to another node unless that is
	// prolonged; 10 min.
	LoanTerm time.Duration

	Clients        *rpc.Clients // to call the schedulers
	Schedulers     []string     // their endpoints
	ReportInterval time.Duration

	CheckInterval time.Duration // between two comparisons of journal and target; 1 min
	WipeInterval  time.Duration // between two looks for trash that nobody announced; 1 min
	OpenInterval  time.Duration // between two tries to open a pool; 10 s
	DrainTimeout  time.Duration // how long a stop waits for running work; 10 s
}

// Server is a storage node. It implements rpc.Volumed.
type Server struct {
	options Options
	node    rpc.Node
	pools   map[string]*pool
	journal *journal.Journal
	locks   *locks
	work    *operations
	lender  *move.Lender
	puller  *move.Puller
	repairs repairs
	recheck chan struct{}
	heard   chan struct{}       // closed when a scheduler has heard the node
	backing *semaphore.Weighted // backups and restores at once; nil: no bound
}

var _ rpc.Volumed = (*Server)(nil)

// pool is a Pool with what the server remembers of it.
type pool struct {
	Pool
	opening opening
	wipe    chan struct{}   // something was deleted
	told    map[string]bool // exports that the journal does not know; of check alone
}

// New makes a Server, which does nothing of itself until Run. Invalid when the
// options contradict themselves.
func New(o Options) (*Server, error) {
	o = o.withDefaults()
	s := &Server{
		options: o,
		node:    o.Node,
		pools:   map[string]*pool{},
		journal: o.Journal,
		locks:   newLocks(),
		recheck: make(chan struct{}, 1),
		heard:   make(chan struct{}),
	}
	s.work = newOperations(o.Journal, s.locks, s.copyBudget)
	s.lender = move.NewLender(o.LoanTerm)
	s.puller = move.NewPuller(move.Options{TLS: o.Peers})
	s.work.accepted = func(f journal.Fence) { s.lender.Overtaken(f.Resource, f.Generation) }
	s.repairs.active = map[string]bool{}
	if o.Backups != nil && o.Backups.AtOnce > 0 {
		s.backing = semaphore.NewWeighted(int64(o.Backups.AtOnce))
	}
	s.node.UUID = o.Journal.NodeUUID()
	s.node.Backends = nil
	for _, p := range o.Pools {
		name := rpc.PoolName(p.Backend, p.Name)
		if s.pools[name] != nil {
			return nil, fault.New(fault.Invalid, "the pool %s is named twice", name)
		}
		s.pools[name] = &pool{Pool: p, opening: opening{trouble: p.Trouble}, wipe: make(chan struct{}, 1), told: map[string]bool{}}
		s.node.Backends = append(s.node.Backends, p.Backend)
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	for field, value := range map[*time.Duration]time.Duration{
		&o.ReportInterval: 10 * time.Second, // Cinder's report_interval
		&o.CheckInterval:  time.Minute,
		&o.WipeInterval:   time.Minute,
		&o.OpenInterval:   10 * time.Second,
		&o.DrainTimeout:   10 * time.Second,
		&o.LoanTerm:       10 * time.Minute,
	} {
		if *field <= 0 {
			*field = value
		}
	}
	return o
}

// pool finds a pool by its name backend#pool: NotFound when there is none,
// Unavailable when it cannot be used yet.
func (s *Server) pool(name string) (*pool, error) {
	p := s.pools[name]
	if p == nil {
		return nil, fault.New(fault.NotFound, "this node has no pool %s", name)
	}
	if err := p.usable(); err != nil {
		return nil, err
	}
	return p, nil
}

// copyBudget is what an operation's copies spend from. Work in no pool copies
// nothing.
func (s *Server) copyBudget(pool string) *pace.Budget {
	if p := s.pools[pool]; p != nil {
		return p.CopyBudget
	}
	return nil
}

// iqn is the name of a volume's target.
func (p *pool) iqn(volumeID string) string { return p.IQNPrefix + backend.VolumeName(volumeID) }

// Recheck has journal and target compared at once: for a target's daemon that
// has been started anew and holds nothing.
func (s *Server) Recheck() { ring(s.recheck) }

// ring wakes whoever listens; one ring is enough.
func ring(bell chan<- struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// pause waits, false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
