package carry

import (
	"context"
	"encoding/hex"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/keymanager/v1/secrets"

	"clinker/internal/fault"
)

// WithKeys lets volumes be opened that are encrypted: keys is a gophercloud client
// of the key-manager service.
func (c *Cloud) WithKeys(keys *gophercloud.ServiceClient) *Cloud {
	c.keys = keys
	return c
}

// Encryption tells how a volume is encrypted.
func (c *Cloud) Encryption(ctx context.Context, volumeID string) (e Encryption, err error) {
	_, err = c.client.Get(ctx, c.client.ServiceURL("volumes", volumeID, "encryption"), &e, nil)
	return e, explain(err, "volume "+volumeID)
}

// key fetches a key as the passphrase that Nova would use: its bytes in hex.
func (c *Cloud) key(ctx context.Context, id string) (secret, error) {
	if c.keys == nil {
		return "", fault.New(fault.Unsupported, "the volume is encrypted, and the service catalog has no key-manager endpoint for this region and interface")
	}
	payload, err := secrets.GetPayload(ctx, c.keys, id, secrets.GetPayloadOpts{PayloadContentType: "application/octet-stream"}).Extract()
	if err != nil {
		return "", explain(err, "the volume's key "+id)
	}
	if len(payload) == 0 {
		return "", fault.New(fault.NotFound, "the key manager's key %s is empty", id)
	}
	return secret(hex.EncodeToString(payload)), nil
}
