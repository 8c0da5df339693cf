package placement

// VolumeNumberWeigher prefers the pool with the fewest volumes. A positive
// multiplier gathers them instead.
func init() {
	weighers["VolumeNumberWeigher"] = weigher{
		option: Multiplier{"volume_number_multiplier", -1, "Weight of VolumeNumberWeigher: below 0 prefers the pool with the fewest volumes."},
		figure: func(_ *Request, p *Pool) float64 { return float64(p.Volumes) },
	}
}
