package diskio

import "time"

// IO is what a set of disks did.
type IO struct {
	BusyShare           float64       // 0 to 1: part of the time with I/O under way, the mean over the disks
	OperationsPerSecond float64       // reads, writes, discards and flushes, all disks together
	BytesPerSecond      float64       // read and written, all disks together
	MeanWaitMS          float64       // from request to answer, mean over the operations
	Over                time.Duration // the time measured, of the disk known longest; 0: nothing is known yet
}

// sum gathers intervals of one or many disks.
type sum struct {
	operations, sectors, waitMS, busyMS float64
	time                                time.Duration
}

// add counts one interval of one disk. A busy time longer than the interval is
// the kernel's rounding, or a count that began anew unseen.
func (s *sum) add(c counters, interval time.Duration) {
	s.operations += float64(c.Operations)
	s.sectors += float64(c.Sectors)
	s.waitMS += float64(c.WaitMS)
	s.busyMS += min(float64(c.BusyMS), float64(interval.Milliseconds()))
	s.time += interval
}

// total makes the figures of a set out of its disks' sums. Rates are added up
// per disk, since one that appeared late was not measured as long.
func total(disks []sum) IO {
	var io IO
	var operations, waitMS, known float64
	for _, s := range disks {
		if s.time <= 0 {
			continue
		}
		known++
		seconds := s.time.Seconds()
		io.BusyShare += s.busyMS / 1000 / seconds
		io.OperationsPerSecond += s.operations / seconds
		io.BytesPerSecond += s.sectors * sectorBytes / seconds
		io.Over = max(io.Over, s.time)
		operations += s.operations
		waitMS += s.waitMS
	}
	if known > 0 {
		io.BusyShare = min(io.BusyShare/known, 1)
	}
	if operations > 0 {
		io.MeanWaitMS = waitMS / operations
	}
	return io
}
