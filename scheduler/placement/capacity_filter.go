package placement

// CapacityFilter refuses pools without room for the volume: see Fits.
func init() {
	filters["CapacityFilter"] = func(r *Request) check {
		size, thick := r.SizeBytes, r.thick()
		return func(p *Pool) string {
			if size == 0 {
				return ""
			}
			_, reason := fits(p, size, thick)
			return reason
		}
	}
}
