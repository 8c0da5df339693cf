package nodetest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// Volume is a volume as the node has it.
type Volume struct {
	Pool    string // backend#pool
	Bytes   int64
	Content string // what a test wrote to it, see Write
	Blank   bool   // it was asked for so
}

// Node is a storage node in memory; its methods are rpc.Volumed's.
type Node struct {
	mu        sync.Mutex
	uuid      string
	host      string
	pools     map[string]*rpc.Pool
	volumes   map[string]Volume   // by pool and id, see key
	snapshots map[string]Snapshot // likewise
	strangers map[string]Stranger // likewise, by name
	level     string              // of its logs
	uploaded  map[string]string   // by image
	store     *Store              // nil when it keeps no backups
	fences    map[string]fenceRecord
	results   map[string]*result
	exports   map[string]export // by attachment
	loans     map[string]Loan   // by volume
	network   *Network
	faults    []Fault
	down      bool
	calls     map[string]int
	slow      time.Duration
	progress  int64 // what operations under way tell
	told      func(method, resource string)
}

type fenceRecord struct {
	generation int64
	ended      map[string]bool // pools
}

type export struct {
	pool, volume string
	grant        rpc.Grant
	generation   int64
}

type result struct {
	done    chan struct{}
	failure *fault.Fault
}

var _ rpc.Volumed = (*Node)(nil)

// New gives a node without pools.
func New(host string) *Node {
	return &Node{
		uuid: uuid.NewString(), host: host, pools: map[string]*rpc.Pool{}, volumes: map[string]Volume{},
		snapshots: map[string]Snapshot{}, fences: map[string]fenceRecord{}, results: map[string]*result{}, exports: map[string]export{}, loans: map[string]Loan{}, calls: map[string]int{},
	}
}

// WithPool adds an idle thick pool of that many bytes in zone nova.
func (n *Node) WithPool(backend, pool string, bytes int64) *Node {
	n.pools[rpc.PoolName(backend, pool)] = &rpc.Pool{
		Backend: backend, Name: pool, TotalBytes: bytes, MaxOverSubscriptionRatio: 1, StorageProtocol: "iSCSI",
		Capabilities: map[string]string{"volume_backend_name": backend}, Io: &rpc.DiskIO{}, AvailabilityZone: "nova",
	}
	return n
}

// Pools names the node's pools as Cinder does, host@backend#pool.
func (n *Node) Pools() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []string
	for name := range n.pools {
		all = append(all, n.host+"@"+name)
	}
	return all
}

// Change lets a test rewrite what a pool reports.
func (n *Node) Change(pool string, change func(*rpc.Pool)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n.pools[pool])
}

// Endpoint is where the node is called.
func (n *Node) Endpoint() string { return "https://" + n.host + ":9776" }

// Self is how the node presents itself.
func (n *Node) Self() rpc.Node {
	var backends []string
	for _, p := range n.pools {
		backends = append(backends, p.Backend)
	}
	slices.Sort(backends)
	self := rpc.Node{UUID: n.uuid, Host: n.host, Endpoint: n.Endpoint(), Version: "test",
		Backends: slices.Compact(backends), AvailabilityZone: "nova"}
	if n.store != nil {
		self.BackupDriver, self.BackupStore, self.BackupContainer = "posix", n.store.ID, "volumebackups"
	}
	return self
}

// Volumes gives what the node has, by volume id.
func (n *Node) Volumes() map[string]Volume {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := map[string]Volume{}
	for k, v := range n.volumes {
		all[k[len(v.Pool)+1:]] = v
	}
	return all
}

// Exported gives the grants, by attachment.
func (n *Node) Exported() map[string]rpc.Grant {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := map[string]rpc.Grant{}
	for id, e := range n.exports {
		all[id] = e.grant
	}
	return all
}

// Put gives the node a volume that nobody asked for.
func (n *Node) Put(pool, id string, bytes int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.volumes[key(pool, id)] = Volume{Pool: pool, Bytes: bytes}
}

// Lose takes a volume from the node as a broken disk would.
func (n *Node) Lose(pool, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.volumes, key(pool, id))
}

func key(pool, id string) string { return pool + "/" + id }

// Stats implements rpc.Volumed.
func (n *Node) Stats(ctx context.Context) (*rpc.Stats, error) {
	if err := n.enter(ctx, "stats", ""); err != nil {
		return nil, err
	}
	self := n.Self()
	n.mu.Lock()
	defer n.mu.Unlock()
	stats := &rpc.Stats{Node: &self}
	for _, name := range slices.Sorted(maps.Keys(n.pools)) {
		p := *n.pools[name]
		used := n.used(name)
		p.FreeBytes = p.TotalBytes - used
		p.LiveBytes, p.ProvisionedBytes = used, p.ProvisionedBytes+used // a test may set strangers
		stats.Pools = append(stats.Pools, &p)
	}
	return stats, n.leave("stats", "")
}

// used sums a pool's volumes and snapshots up.
func (n *Node) used(pool string) int64 {
	var sum int64
	for _, v := range n.volumes {
		if v.Pool == pool {
			sum += v.Bytes
		}
	}
	for _, s := range n.snapshots {
		if s.Pool == pool {
			sum += s.Bytes
		}
	}
	return sum
}
