package diskio

import (
	"errors"
	"strconv"
	"strings"
)

// sectorBytes is the unit of the sector counters, whatever the device's own.
const sectorBytes = 512

// counters are the sums since boot of one device that matter here. The kernel
// keeps counts as unsigned long and times as unsigned int (milliseconds), so
// that a time wraps after 49 days of waiting.
type counters struct {
	Operations uint64 // reads, writes, discards and flushes completed
	Sectors    uint64 // read and written; a discard moves no bytes
	WaitMS     uint32 // of all operations
	BusyMS     uint32 // with at least one operation under way
}

var errShort = errors.New("fewer than 11 fields")

// parseDiskstats reads /proc/diskstats. A line that makes no sense is left out:
// it must not cost the other disks' figures.
func parseDiskstats(text string) map[string]counters {
	disks := map[string]counters{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		if counters, err := parseFields(fields[3:]); err == nil {
			disks[fields[2]] = counters
		}
	}
	return disks
}

// parseStat reads a device's own /sys/class/block/NAME/stat.
func parseStat(text string) (counters, error) { return parseFields(strings.Fields(text)) }

// parseFields reads fields 1 to 17 of iostats.rst: 11 before Linux 4.18, 15
// before 5.5 (discards since 4.18, flushes since 5.5).
func parseFields(fields []string) (counters, error) {
	if len(fields) < 11 {
		return counters{}, errShort
	}
	var c counters
	for i, field := range fields {
		if i == 8 { // operations under way: no sum, and below 0 in some kernels
			continue
		}
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return counters{}, err
		}
		switch i {
		case 0, 4, 11, 15:
			c.Operations += n
		case 2, 6:
			c.Sectors += n
		case 3, 7, 14, 16:
			c.WaitMS += uint32(n) // wraps as the kernel's own does
		case 9:
			c.BusyMS = uint32(n)
		}
	}
	return c, nil
}

// since gives what was added after an earlier reading; false when the device
// began anew in between. A count of 64 bits never wraps, so that a count
// that fell tells; times are subtracted modulo 2³².
func (c counters) since(earlier counters) (counters, bool) {
	if c.Operations < earlier.Operations || c.Sectors < earlier.Sectors {
		return counters{}, false
	}
	return counters{
		Operations: c.Operations - earlier.Operations,
		Sectors:    c.Sectors - earlier.Sectors,
		WaitMS:     c.WaitMS - earlier.WaitMS,
		BusyMS:     c.BusyMS - earlier.BusyMS,
	}, true
}
