package placement

// BackupStoreFilter refuses pools whose node does not reach the store that the
// backup lies in, of which the volume is to be made: the node itself reads it.
func init() {
	filters["BackupStoreFilter"] = func(r *Request) check {
		wanted := r.BackupStore
		return func(p *Pool) string {
			switch {
			case wanted == "" || wanted == p.BackupStore:
				return ""
			case p.BackupStore == "":
				return "its node reaches no store for backups at the moment"
			}
			return "its node keeps backups in another store than the one that the backup lies in"
		}
	}
	hints["BackupStoreFilter"] = "No storage node that is up reaches the store that the backup lies in."
}
