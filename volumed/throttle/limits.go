package throttle

import "math"

// Limits bound the I/O on one device; 0 is no limit.
type Limits struct {
	ReadBytesSec  int64 `json:"read_bytes_sec,omitempty"`
	WriteBytesSec int64 `json:"write_bytes_sec,omitempty"`
	ReadIopsSec   int64 `json:"read_iops_sec,omitempty"`  // operations, as the kernel merges and splits them
	WriteIopsSec  int64 `json:"write_iops_sec,omitempty"` // likewise
}

// None tells whether nothing is limited.
func (l Limits) None() bool { return l == Limits{} }

// The controller's files, one for each limit.
const (
	readBytes  = "blkio.throttle.read_bps_device"
	writeBytes = "blkio.throttle.write_bps_device"
	readIops   = "blkio.throttle.read_iops_device"
	writeIops  = "blkio.throttle.write_iops_device"
)

// rule is one limit and the file that takes it.
type rule struct {
	file  string
	value int64
}

// rules gives all four: a limit of 0 takes the rule away. The kernel keeps
// operations a second in 32 bits and cuts off what is above (tg_set_conf).
func (l Limits) rules() []rule {
	return []rule{
		{readBytes, l.ReadBytesSec},
		{writeBytes, l.WriteBytesSec},
		{readIops, min(l.ReadIopsSec, math.MaxUint32)},
		{writeIops, min(l.WriteIopsSec, math.MaxUint32)},
	}
}
