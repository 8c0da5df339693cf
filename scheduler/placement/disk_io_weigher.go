package placement

import "math"

// The load figure of a pool, 0 (idle) to about 1, is
//
//	0.50 busy share
//	0.20 mean wait / (mean wait + 10 ms)
//	0.15 operations a second / (operations a second + 1,000)
//	0.15 bytes a second / (bytes a second + 100 MiB)
//	0.01 for each volume claimed since the poll
//
// Busy share weighs most: it means the same on every disk. A disk that serves
// many requests at once can be busy all the time and still have room (kernel,
// Documentation/admin-guide/iostats.rst), so that the other three tell such
// disks apart; each has no upper end and is therefore bent to 0..1, with the
// half at a value that a single ordinary disk notices.
//
// A claimed volume will soon be written to, but the measurement is up to a
// poll interval old and averaged over a minute. Counting a claim as one
// hundredth of a disk spreads a burst of creates over idle pools without sending
// it to a busy one.
const (
	busyPart, waitPart, operationsPart, bytesPart = 0.50, 0.20, 0.15, 0.15

	halfWaitMS     = 10
	halfOperations = 1000
	halfBytes      = 100 << 20
	perClaim       = 0.01

	// loadNoise is what two idle disks differ by from one minute to the next.
	// Pools that close to the least are equal; Rank then prefers fewer claims, more room.
	loadNoise = 0.015
)

// DiskIOWeigher prefers the pool whose disks have the least to do: its figure is the load
// with its sign turned, so that a multiplier above 0 prefers less of it. It is the default
// and, unless others are configured, the only one: the least disk I/O wins.
func init() {
	weighers["DiskIOWeigher"] = weigher{
		option: Multiplier{"disk_io_weight_multiplier", 1, "Weight of DiskIOWeigher: above 0 prefers the pool with the least disk I/O, below 0 the busiest."},
		noise:  loadNoise,
		figure: func(_ *Request, p *Pool) float64 { return 0 - load(p) },
	}
}

// load is the pool's load figure: see above.
func load(p *Pool) float64 {
	return busyPart*min(positive(p.IO.BusyShare), 1) +
		waitPart*bent(p.IO.MeanWaitMS, halfWaitMS) +
		operationsPart*bent(p.IO.OperationsPerSecond, halfOperations) +
		bytesPart*bent(p.IO.BytesPerSecond, halfBytes) +
		perClaim*float64(max(p.ClaimedSincePoll, 0))
}

// bent maps 0..∞ to 0..1, rising all the way, with half at the given value.
func bent(x, half float64) float64 { return 1 - half/(half+positive(x)) }

// positive takes nonsense from a node (negative, not a number) for 0.
func positive(x float64) float64 {
	if math.IsNaN(x) || x < 0 {
		return 0
	}
	return x
}
