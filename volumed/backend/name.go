package backend

import "strings"

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
