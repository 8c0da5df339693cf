package jobs

import (
	"context"

	"clinker/internal/openstack/nova"
)

// Compute tells servers about their volumes; *nova.Client does.
type Compute interface {
	// SwapVolume has a server that uses a volume copy it onto another and use that
	// from then on. Conflict when it is at that, or at something else, already.
	SwapVolume(ctx context.Context, serverID, volumeID, newVolumeID string) error
	VolumeExtended(ctx context.Context, volumeID string, servers []string) ([]nova.Refusal, error)
	VolumeReimaged(ctx context.Context, volumeID string, servers []string) ([]nova.Refusal, error)
}
