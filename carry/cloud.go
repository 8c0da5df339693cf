package carry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/attachments"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/internal/fault"
)

// microversion is the first that lets an attachment say read-only (3.54);
// os-complete came with 3.44.
const microversion = "3.54"

// Cloud is the block storage service, seen as one of its users.
type Cloud struct {
	client *gophercloud.ServiceClient
	keys   *gophercloud.ServiceClient // nil where there is no key manager
}

// NewCloud takes a gophercloud client of the block-storage service.
func NewCloud(client *gophercloud.ServiceClient) *Cloud {
	client.Microversion = microversion
	return &Cloud{client: client}
}

// Endpoint is the service's address.
func (c *Cloud) Endpoint() string { return c.client.Endpoint }

var uuidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}$`)

// Volume finds a volume by its id or, failing that, by its name. NotFound when
// there is none, Conflict when several have the name.
func (c *Cloud) Volume(ctx context.Context, reference string) (*volumes.Volume, error) {
	if uuidPattern.MatchString(reference) {
		volume, err := volumes.Get(ctx, c.client, reference).Extract()
		if err = explain(err, "volume "+reference); !fault.Is(err, fault.NotFound) {
			return volume, err
		}
	}
	pages, err := volumes.List(c.client, volumes.ListOpts{Name: reference}).AllPages(ctx)
	if err != nil {
		return nil, explain(err, "volume "+reference)
	}
	found, err := volumes.ExtractVolumes(pages)
	if err != nil {
		return nil, err
	}
	switch len(found) {
	case 0:
		return nil, fault.New(fault.NotFound, "there is no volume with the id or name %q", reference)
	case 1:
		return &found[0], nil
	}
	return nil, fault.New(fault.Conflict, "%d volumes are named %q: give the id", len(found), reference)
}

// request is a new attachment. gophercloud's CreateOpts always sends an
// instance_uuid, and an empty one is refused: this machine is no server of Nova's.
type request struct {
	volumeID  string
	connector map[string]any
	readOnly  bool
}

// ToAttachmentCreateMap is for gophercloud.
func (r request) ToAttachmentCreateMap() (map[string]any, error) {
	mode := "rw"
	if r.readOnly {
		mode = "ro"
	}
	return map[string]any{"attachment": map[string]any{
		"volume_uuid": r.volumeID, "connector": r.connector, "mode": mode,
	}}, nil
}

// Attach asks for an attachment and its connection in one request. Not to be
// repeated blindly: after a timeout there may be one.
func (c *Cloud) Attach(ctx context.Context, r request) (*attachments.Attachment, error) {
	attachment, err := attachments.Create(ctx, c.client, r).Extract()
	return attachment, explain(err, "volume "+r.volumeID)
}

// Attachment reads an attachment with its connection_info. NotFound when it is gone.
func (c *Cloud) Attachment(ctx context.Context, id string) (*attachments.Attachment, error) {
	attachment, err := attachments.Get(ctx, c.client, id).Extract()
	return attachment, explain(err, "attachment "+id)
}

// Attachments lists the attachments of a volume.
func (c *Cloud) Attachments(ctx context.Context, volumeID string) ([]attachments.Attachment, error) {
	pages, err := attachments.List(c.client, attachments.ListOpts{VolumeID: volumeID}).AllPages(ctx)
	if err != nil {
		return nil, explain(err, "attachments of volume "+volumeID)
	}
	return attachments.ExtractAttachments(pages)
}

// Complete tells that the machine has the device. It may be repeated.
func (c *Cloud) Complete(ctx context.Context, id string) error {
	return explain(attachments.Complete(ctx, c.client, id).ExtractErr(), "attachment "+id)
}

// Release deletes an attachment. No error when it is gone.
func (c *Cloud) Release(ctx context.Context, id string) error {
	err := explain(attachments.Delete(ctx, c.client, id).ExtractErr(), "attachment "+id)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

var codes = map[int]fault.Code{
	http.StatusBadRequest:            fault.Invalid,
	http.StatusUnauthorized:          fault.Unauthorized,
	http.StatusForbidden:             fault.Forbidden,
	http.StatusNotFound:              fault.NotFound,
	http.StatusNotAcceptable:         fault.NotAccepted,
	http.StatusConflict:              fault.Conflict,
	http.StatusRequestEntityTooLarge: fault.OverQuota,
}

// explain makes a fault of what gophercloud says, with the service's own
// sentence. An answer of 500 and above leaves the outcome unknown.
func explain(err error, subject string) error {
	if err == nil {
		return nil
	}
	var status gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &status) {
		return fault.Wrap(err, fault.Unavailable, "%s: no usable answer from the service", subject)
	}
	code, known := codes[status.Actual]
	if !known {
		code = fault.Unavailable
	}
	return fault.New(code, "%s: %s", subject, sentence(status))
}

// sentence takes the message out of {"badRequest": {"message": …}}.
func sentence(status gophercloud.ErrUnexpectedResponseCode) string {
	var body map[string]struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(status.Body, &body) == nil {
		for _, inner := range body {
			if inner.Message != "" {
				return strings.TrimSpace(inner.Message)
			}
		}
	}
	return fmt.Sprintf("the service answered %d %s", status.Actual, http.StatusText(status.Actual))
}
