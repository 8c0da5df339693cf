package jobs

import (
	"context"

	"clinker/internal/openstack/nova"
)

// Compute tells servers about their volumes; *nova.Client does.
type Compute interface {
	VolumeExtended(ctx context.Context, volumeID string, servers []string) ([]nova.Refusal, error)
	VolumeReimaged(ctx context.Context, volumeID string, servers []string) ([]nova.Refusal, error)
}
