package db

// BackupFilter is a condition on a column, see VolumeFilter.
func BackupFilter(name, value string) (Condition, bool, error) { return backups.equal(name, value) }

// BackupLike is a condition that a column contains the value.
func BackupLike(name, value string) (Condition, bool) { return backups.like(name, value) }

// BackupHas is a condition that a map column holds all the pairs.
func BackupHas(name string, pairs map[string]string) Condition { return backups.has(name, pairs) }

// BackupsOf limits a list to one project.
func BackupsOf(project string) Condition {
	return ofProject("b.project_id", project)
}

// EveryBackup is the condition of lists that are not limited to a project, see
// EveryProject.
var EveryBackup = Condition{sql: "b.size_gib >= 0"}
