package backend

import (
	"fmt"
	"regexp"
	"strings"

	"clinker/internal/fault"
)

// The names that volumes have in a pool; Cinder's volume_name_template and
// snapshot_name_template, with the underscore that LVM wants before
// "snapshot", a prefix it keeps for itself.
const (
	volumePrefix   = "volume-"
	snapshotPrefix = "_snapshot-"

	// TrashPrefix begins the names of what waits to be wiped. It is followed
	// by the old name and a number, so that a volume made again under the
	// same id can be deleted again.
	TrashPrefix = "_trash-"
)

// VolumeName gives the name of the volume with that id.
func VolumeName(id string) string { return volumePrefix + id }

// SnapshotName gives the name of the snapshot with that id.
func SnapshotName(id string) string { return snapshotPrefix + id }

// VolumeID gives the id in a volume's name, false for any other name.
func VolumeID(name string) (string, bool) { return strings.CutPrefix(name, volumePrefix) }

// SnapshotID gives the id in a snapshot's name, false for any other name.
func SnapshotID(name string) (string, bool) { return strings.CutPrefix(name, snapshotPrefix) }

// ours matches the two kinds of names; the id has neither underscore nor dot,
// so that none of LVM's reserved words (_tdata, _mlog…) nor a path can be in it.
var (
	ours  = regexp.MustCompile(`^(volume-|_snapshot-)[0-9A-Za-z][0-9A-Za-z-]{0,63}$`)
	trash = regexp.MustCompile(`^_trash-(volume-|_snapshot-)[0-9A-Za-z][0-9A-Za-z-]{0,63}-[0-9]+$`)
)

// CheckName gives Invalid for a name that is neither a volume's nor a
// snapshot's. Every method of a backend that is given a name begins with it, so
// that a stranger's logical volume or file can never be touched. The exception is
// the reference of Manage and Unmanage.
func CheckName(name string) error {
	if !ours.MatchString(name) {
		return fault.New(fault.Invalid, "%q is not the name of a volume or a snapshot", name)
	}
	return nil
}

// CheckTrashName gives Invalid for a name that TrashName did not make.
func CheckTrashName(name string) error {
	if !trash.MatchString(name) {
		return fault.New(fault.Invalid, "%q is not the name of something to be wiped", name)
	}
	return nil
}

// TrashName is what a volume or snapshot is called while it waits to be wiped;
// n tells two of the same name apart.
func TrashName(old string, n int64) string { return fmt.Sprintf("%s%s-%d", TrashPrefix, old, n) }
