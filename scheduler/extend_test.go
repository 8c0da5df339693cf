package scheduler_test

import (
	"context"
	"testing"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler/nodetest"
)

// newExtendRig has one node with one volume of 1 GiB.
func newExtendRig(t *testing.T) (*rig, *nodetest.Node, db.Volume) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.adjust = impatient
	r.start()
	return r, node, r.rests(r.request(1, nil).ID, "available")
}

// hasSize demands that database and node agree on a volume's size, and all counters.
func (r *rig) hasSize(node *nodetest.Node, id string, sizeGiB int) {
	r.Helper()
	if v := r.read(id); v.SizeGiB != sizeGiB || v.TargetSizeGiB != nil {
		r.Errorf("the database has %d GiB and a target %v, want %d", v.SizeGiB, v.TargetSizeGiB, sizeGiB)
	}
	if got := node.Volumes()[id].Bytes; got != int64(sizeGiB)*gib {
		r.Errorf("the node has %d bytes, want %d GiB", got, sizeGiB)
	}
	r.trueCounters()
}

// backAgain has the node answer, and the scheduler see that.
func (r *rig) backAgain(node *nodetest.Node) {
	r.Helper()
	node.Mend()
	polled := node.Calls("stats")
	r.eventually("two polls", func() bool { return node.Calls("stats") >= polled+2 })
	r.sweep()
}

// silences are the two ways in which a node says nothing.
var silences = map[string]func(*nodetest.Node){
	"down": func(n *nodetest.Node) { n.SetDown(true) },
	"its answer lost": func(n *nodetest.Node) {
		n.Break(nodetest.Fault{Method: "extend", After: true, Err: fault.New(fault.Unavailable, "the wire is cut")})
	},
}

func TestExtensionGoesOnWhenTheNodeIsBack(t *testing.T) {
	for name, silence := range silences {
		t.Run(name, func(t *testing.T) {
			r, node, v := newExtendRig(t)
			silence(node)
			r.extend(v.ID, 3)
			r.rests(v.ID, "error_extending")
			r.trueCounters()
			if m := r.messages(); len(m) != 1 || m[0].Detail != "The volume was not extended: the storage node does not answer; the extension goes on when it does." {
				t.Errorf("told %+v", m)
			}
			r.backAgain(node)
			r.rests(v.ID, "available")
			r.hasSize(node, v.ID, 3)
		})
	}
}

// TestExtendedAllTheSame: a node that has made a volume longer, and then said that it
// failed, has the last word.
func TestExtendedAllTheSame(t *testing.T) {
	r, node, v := newExtendRig(t)
	node.Break(nodetest.Fault{Method: "extend", After: true, Err: fault.New(fault.Internal, "the target cannot be told")})
	r.extend(v.ID, 3)
	r.rests(v.ID, "error_extending")
	r.backAgain(node)
	r.eventually("the size that it has", func() bool { r.sweep(); return r.read(v.ID).Status == "available" })
	r.hasSize(node, v.ID, 3)
}

// TestSuspendedExtensionDeleted: what was promised to the growth is given back once,
// also when the volume stays after all.
func TestSuspendedExtensionDeleted(t *testing.T) {
	r, node, v := newExtendRig(t)
	node.SetDown(true)
	r.extend(v.ID, 3)
	r.rests(v.ID, "error_extending")
	node.Mend()
	node.Break(nodetest.Fault{Method: "destroy", Err: fault.New(fault.Busy, "something holds the device open")})
	r.delete(v.ID)
	r.rests(v.ID, "available")
	r.hasSize(node, v.ID, 1)
	node.Mend()
	r.extend(v.ID, 2)
	r.rests(v.ID, "available")
	r.hasSize(node, v.ID, 2)
	node.SetDown(true)
	r.extend(v.ID, 3)
	r.rests(v.ID, "error_extending")
	node.Mend()
	r.delete(v.ID)
	r.rests(v.ID, "deleted")
	r.trueCounters()
}

// TestSuspendedExtensionUnmanaged: likewise.
func TestSuspendedExtensionUnmanaged(t *testing.T) {
	r, node, v := newExtendRig(t)
	node.SetDown(true)
	r.extend(v.ID, 3)
	r.rests(v.ID, "error_extending")
	node.Mend()
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.BeginUnmanage(ctx, v.ID, "no", "req-unmanage") })
	r.rests(v.ID, "deleted")
	r.trueCounters()
}
