package rpc

import "context"

// RegistryPath is where on a scheduler's endpoint Registry is served.
const RegistryPath = "/registry"

// Registry is what the scheduler offers to storage nodes.
type Registry interface {
	// Announce says that a node is there: at its start and every
	// report_interval. It may be repeated.
	Announce(ctx context.Context, node Node) error
}
