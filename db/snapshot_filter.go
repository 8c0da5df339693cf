package db

// SnapshotFilter is a condition on a column, see VolumeFilter. Zone and host are
// the volume's.
func SnapshotFilter(name, value string) (Condition, bool, error) {
	return snapshots.equal(name, value)
}

// SnapshotLike is a condition that a column contains the value.
func SnapshotLike(name, value string) (Condition, bool) { return snapshots.like(name, value) }

// SnapshotHas is a condition that a map column holds all the pairs.
func SnapshotHas(name string, pairs map[string]string) Condition { return snapshots.has(name, pairs) }

// SnapshotHost matches the volume's place: host, host@backend or
// host@backend#pool.
func SnapshotHost(host string) Condition { return hostCondition(ofVolume("host"), host) }

// SnapshotsOf limits a list to one project.
func SnapshotsOf(project string) Condition {
	return ofProject("s.project_id", project)
}

// EverySnapshot is the condition of lists that are not limited to a project,
// see EveryProject.
var EverySnapshot = Condition{sql: "s.size_gib >= 0"}
