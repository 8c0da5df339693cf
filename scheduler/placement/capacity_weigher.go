package placement

// CapacityWeigher prefers the pool with the most room to promise: Cinder's
// virtual free capacity. A negative multiplier fills pools one after another.
func init() {
	weighers["CapacityWeigher"] = weigher{
		option: Multiplier{"capacity_weight_multiplier", 1, "Weight of CapacityWeigher: above 0 prefers the pool with the most free space, below 0 the fullest."},
		figure: func(r *Request, p *Pool) float64 {
			return float64(virtualFree(p, r.Thick()))
		},
	}
}

// virtualFree is Cinder's calculate_virtual_free_capacity: for a thin pool
// total * ratio - promised - reserved; for a thick one what fits would grant.
func virtualFree(p *Pool, thick bool) int64 {
	books, node := room(p, thick)
	if p.Thin && !thick {
		return books - reservedBytes(p)
	}
	return min(books, node)
}
