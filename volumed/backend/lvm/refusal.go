package lvm

import (
	"errors"
	"regexp"

	"clinker/internal/fault"
	"clinker/internal/run"
)

// refusals are the texts by which LVM's programs say why they will not: they end
// with status 5 for nearly everything (lib/commands/errors.h). The first that
// matches counts. Seen with LVM 2.03.16.
var refusals = []struct {
	text    *regexp.Regexp
	code    fault.Code
	message string
}{
	{regexp.MustCompile(`Multiple VGs found with the same name`),
		fault.Unavailable, "two volume groups have the pool's name, one perhaps a tenant's: lvm.conf must let LVM look at this node's own disks only (global_filter)"},
	{regexp.MustCompile(`while PVs are missing|Refusing activation of partial LV`),
		fault.Unavailable, "a disk of the volume group is missing"},
	{regexp.MustCompile(`Volume group \S+ is exported`),
		fault.Unavailable, "the volume group is exported (vgimport takes it back)"},
	{regexp.MustCompile(`Cannot access VG \S+ with (system ID|lock type)|Cannot access clustered VG`),
		fault.Unavailable, "the volume group is another machine's, or shared by several (lvmsystemid, lvmlockd); only a local one is served"},
	{regexp.MustCompile(`volume_list activation filter`),
		fault.Unavailable, "lvm.conf lets no volume of the volume group be active on this node (activation/volume_list)"},
	{regexp.MustCompile(`[Tt]hin pool \S+ (has read-only metadata|is failed)|with read only metadata|Check of pool \S+ failed|transaction_id is \d+, while expected`),
		fault.Unavailable, "the thin pool takes no writes: its metadata are full or damaged"},
	{regexp.MustCompile(`Volume group "?\S+"? not found|Pool \S+ not found|Cannot process volume group`),
		fault.Unavailable, "the pool is not there"},
	{regexp.MustCompile(`[Ii]nsufficient (suitable |allocatable |free )|free space in thin pool .* reached threshold|not enough free`),
		fault.NoSpace, "the pool has not enough free space"},
	{regexp.MustCompile(`already exists in volume group`),
		fault.Conflict, "a volume of that name exists already"},
	{regexp.MustCompile(`Failed to find logical volume|ogical volume "?\S+"? not found in volume group|Snapshot origin LV \S+ not found`),
		fault.NotFound, "there is no such volume in this pool"},
	{regexp.MustCompile(`\blocked (logical volume|volumes|LV)\b`),
		fault.Busy, "the volume is being moved to another disk of its storage node (pvmove)"},
	{regexp.MustCompile(`\bin use\b|is used by|can be resized only while inactive|Device or resource busy`),
		fault.Busy, "the volume is in use on its storage node"},
	{regexp.MustCompile(`Can't get lock for`),
		fault.Unavailable, "the volume group is locked by another program"},
}

// explain turns a program's refusal into a fault; another failure stays as it is.
func explain(err error) error {
	var exit *run.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	for _, refusal := range refusals {
		if refusal.text.MatchString(exit.Stderr) {
			return fault.Wrap(err, refusal.code, "%s", refusal.message)
		}
	}
	return err
}
