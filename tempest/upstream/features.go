//go:build tempest

package upstream

// features are what Clinker has of that which Tempest asks for by flags. A test
// of another feature is skipped by Tempest itself, which says why.
var features = struct{ Backup, Nova bool }{Backup: true, Nova: false}
