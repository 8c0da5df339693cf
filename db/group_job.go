package db

// The jobs of groups; see job.go. A group's job places it, or watches over its
// volumes, each of which has a job of its own.

// GroupCreateArgs asks for a pool for a group in status creating, or waits for
// the volumes of one that is made from a source.
type GroupCreateArgs struct {
	GroupID string   `json:"group_id"`
	Request string   `json:"request"`
	Zones   []string `json:"zones,omitempty"` // empty: any
}

// Kind is River's name of the job.
func (GroupCreateArgs) Kind() string { return "group_create" }

// GroupDeleteArgs asks that a group in status deleting go away with its volumes.
type GroupDeleteArgs struct {
	GroupID string `json:"group_id"`
	Request string `json:"request"`
}

// Kind is River's name of the job.
func (GroupDeleteArgs) Kind() string { return "group_delete" }
