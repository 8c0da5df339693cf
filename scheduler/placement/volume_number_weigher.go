package placement

// VolumeNumberWeigher prefers the pool with the fewest volumes. A positive
// multiplier gathers them instead.
func init() {
	weighers["VolumeNumberWeigher"] = weigher{
		multiplier: -1,
		figure:     func(_ *Request, p *Pool) float64 { return float64(p.Volumes) },
	}
}
