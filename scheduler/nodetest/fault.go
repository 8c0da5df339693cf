package nodetest

import (
	"context"
	"time"

	"clinker/internal/fault"
)

// Fault makes calls fail.
type Fault struct {
	Method   string // create, extend, destroy, copy_from, grant, revoke, stats …; "" for all
	Resource string // "" for all
	Err      error
	After    bool // the node does what it is asked, and its answer is lost
	Times    int  // 0: always
}

// Break adds a fault.
func (n *Node) Break(f Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = append(n.faults, f)
}

// Mend takes all faults away.
func (n *Node) Mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults, n.down = nil, false
}

// SetDown switches the node off or on; what it has stays.
func (n *Node) SetDown(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = down
}

// SetSlow makes every operation take that long.
func (n *Node) SetSlow(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slow = d
}

// ProgressTotal is how many bytes operations have of which SetProgress tells.
const ProgressTotal = 1000

// SetProgress is how many of ProgressTotal bytes operations under way have done;
// with 0 they tell of no bytes.
func (n *Node) SetProgress(bytes int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.progress = bytes
}

// Calls tells how often a method was called.
func (n *Node) Calls(method string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls[method]
}

// Watch has a function told of every call before it is served.
func (n *Node) Watch(told func(method, resource string)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = told
}

// enter counts a call, and says how it fails before anything is done.
func (n *Node) enter(ctx context.Context, method, resource string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls[method]++
	if n.told != nil {
		n.told(method, resource)
	}
	if ctx.Err() != nil {
		return fault.Wrap(ctx.Err(), fault.Timeout, "the service did not answer in time")
	}
	if n.down {
		return fault.New(fault.Unavailable, "the service does not answer")
	}
	return n.fails(method, resource, false)
}

// leave says whether the answer is lost; the caller holds the lock.
func (n *Node) leave(method, resource string) error { return n.fails(method, resource, true) }

func (n *Node) fails(method, resource string, after bool) error {
	for i := range n.faults {
		f := &n.faults[i]
		if f.After != after || f.Method != "" && f.Method != method || f.Resource != "" && f.Resource != resource || f.Times < 0 {
			continue
		}
		if f.Times == 1 {
			f.Times = -1
		} else if f.Times > 1 {
			f.Times--
		}
		return f.Err
	}
	return nil
}

// Forget loses all operations under way, as a restart of the node does.
func (n *Node) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.results = map[string]*result{}
}
