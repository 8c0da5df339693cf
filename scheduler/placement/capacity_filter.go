package placement

// CapacityFilter refuses pools without room for the volume: see fits.
func init() {
	filters["CapacityFilter"] = func(r *Request) check {
		size, thick := r.SizeBytes, r.Thick()
		return func(p *Pool) string { return fits(p, size, thick) }
	}
}
