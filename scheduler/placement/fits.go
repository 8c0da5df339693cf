package placement

import (
	"fmt"
	"math"
)

// fits says why a volume of size bytes has no room in the pool, "" when it has.
// The claim in the database repeats this rule, so that many schedulers never
// promise the same bytes twice; both must be changed together.
//
// A thick pool has room for
//
//	least(total - reserved - other - allocated, free - reserved)
//
// with reserved = total * reserved_percentage / 100, rounded down. The first
// term is the book-keeping, which knows of claims that the node has not seen;
// the second is the node's own word, for whatever the books do not know.
//
// A thin pool follows Cinder's rule (CapacityFilter with
// thin_provisioning_support): it has room for
//
//	least(floor(total * ratio) - other - allocated, floor((free - reserved) * ratio))
//
// that is, what is promised may not exceed total times
// max_over_subscription_ratio, and the volume may not exceed the physical room
// left, over-subscribed alike. A ratio below 1 makes the pool unusable.
//
// thick is for provisioning:type=thick: the thick pool's rule counts in a thin pool,
// too, as in Cinder 21 (calculate_capacity_factors): what all volumes there were
// promised must be there then. A size of 0 (a volume that is there already) always fits.
func fits(p *Pool, size int64, thick bool) (refusal string) {
	switch {
	case size == 0:
		return ""
	case size < 0:
		return fmt.Sprintf("the size of %d bytes is negative", size)
	case p.TotalBytes <= 0:
		return "the pool reports no capacity"
	case p.Thin && !thick && !(p.MaxOverSubscriptionRatio >= 1):
		return fmt.Sprintf("max_over_subscription_ratio is %g, and must be at least 1", p.MaxOverSubscriptionRatio)
	}
	books, node := room(p, thick)
	if size > books {
		return fmt.Sprintf("%d bytes are wanted, %d of %d are left to promise (%d placed, %d other, %d%% reserved)",
			size, max(books, 0), p.TotalBytes, p.AllocatedBytes, p.OtherBytes, p.ReservedPercentage)
	}
	if size > node {
		return fmt.Sprintf("%d bytes are wanted, and the node has physical room for %d (%d free, %d%% of %d reserved)",
			size, max(node, 0), p.FreeBytes, p.ReservedPercentage, p.TotalBytes)
	}
	return ""
}

// room gives the two bounds of the rule: by the books and by the node.
func room(p *Pool, thick bool) (books, node int64) {
	taken := p.OtherBytes + p.AllocatedBytes
	free := p.FreeBytes - reservedBytes(p)
	if p.Thin && !thick {
		ratio := p.MaxOverSubscriptionRatio
		return times(p.TotalBytes, ratio) - taken, times(max(free, 0), ratio)
	}
	return p.TotalBytes - reservedBytes(p) - taken, free
}

// reservedBytes is total * percentage / 100 rounded down, without overflow.
func reservedBytes(p *Pool) int64 {
	percentage := int64(p.ReservedPercentage)
	return p.TotalBytes/100*percentage + p.TotalBytes%100*percentage/100
}

// times is bytes * ratio rounded down; nonsense gives 0 and excess the most there is.
func times(bytes int64, ratio float64) int64 {
	product := float64(bytes) * ratio
	switch {
	case !(product > 0):
		return 0
	case product >= math.MaxInt64:
		return math.MaxInt64
	}
	return int64(product)
}
