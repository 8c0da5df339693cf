package nova

import (
	"context"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"
)

// SwapVolume has a server copy a volume that is attached to it onto another, and
// use that one from then on (PUT /servers/{server}/os-volume_attachments/{volume}).
// It returns when Nova has begun; Nova tells Cinder's os-migrate_volume_completion
// how it ended. Errors: NotFound when the server does not have the volume; Conflict
// when it is at something else, which may be this very swap; Invalid and Forbidden
// when Nova refuses; Unsupported without a compute service; Unavailable when it does
// not answer, which leaves open whether it has begun.
func (c *Client) SwapVolume(ctx context.Context, serverID, volumeID, newVolumeID string) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	nova, err := c.compute(ctx, "2.1")
	if err != nil {
		return err
	}
	body := map[string]any{"volumeAttachment": map[string]any{"volumeId": newVolumeID}}
	_, err = nova.Put(ctx, nova.ServiceURL("servers", serverID, "os-volume_attachments", volumeID), body, nil, &gophercloud.RequestOpts{
		OkCodes: []int{http.StatusAccepted},
	})
	return refusal(err)
}
