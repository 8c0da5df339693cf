package glance

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"regexp"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"

	"clinker/internal/fault"
)

// NewImage is an image that is to be made and gets its bytes later.
type NewImage struct {
	ID              string // a UUID of the caller's choice
	Name            string
	DiskFormat      string
	ContainerFormat string
	Visibility      string // "" for Glance's default
	Protected       *bool  // nil for Glance's default
	Properties      map[string]string
}

// Create makes an image, as the bearer of a token. It may be repeated: an image
// that has the id already is the answer. Invalid, with the image service's own
// words, when it refuses; Unavailable when it does not answer, and then the image
// may be there or not.
func (c *Client) Create(ctx context.Context, token string, n NewImage) (Image, error) {
	var made Image
	var refused error
	err := c.ask(ctx, token, func(ctx context.Context, service *gophercloud.ServiceClient) error {
		image, err := images.Create(ctx, service, n.options()).Extract()
		if statusOf(err) == http.StatusConflict { // an answer was lost
			image, err = images.Get(ctx, service, n.ID).Extract()
		}
		if err == nil {
			made = imageOf(image)
		}
		refused = err
		return err
	})
	if status := statusOf(refused); status >= 400 && status < 500 && status != http.StatusUnauthorized {
		return made, fault.New(fault.Invalid, "The image service refuses the image: %s", said(refused))
	}
	return made, err
}

func (n NewImage) options() images.CreateOpts {
	options := images.CreateOpts{ID: n.ID, Name: n.Name, DiskFormat: n.DiskFormat, ContainerFormat: n.ContainerFormat,
		Protected: n.Protected, Properties: n.Properties}
	if n.Visibility != "" {
		visibility := images.ImageVisibility(n.Visibility)
		options.Visibility = &visibility
	}
	return options
}

var (
	tags   = regexp.MustCompile(`(?s)<title>.*?</title>|<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// said gives the text of a refusal, which Glance sends as HTML, or in a JSON object;
// it is for the user who asked.
func said(err error) string {
	var wrong gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &wrong) {
		return ""
	}
	var object struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	text := string(wrong.Body)
	if json.Unmarshal(wrong.Body, &object) == nil && object.Message != "" {
		text = object.Code + " " + object.Message
	}
	text = html.UnescapeString(tags.ReplaceAllString(text, " "))
	text = strings.TrimSpace(spaces.ReplaceAllString(text, " "))
	if len(text) > 500 {
		text = text[:500]
	}
	return strings.ToValidUTF8(text, "")
}

// Delete deletes an image by the word of the service user, also a protected one.
// With unlessWhole one that has its bytes stays. nil when there is no such image;
// Unavailable when the image service does not answer.
func (c *Client) Delete(ctx context.Context, id string, unlessWhole bool) error {
	image, _, token, err := c.Download(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if unlessWhole && image.Status != "queued" && image.Status != "saving" {
		return nil
	}
	status := 0
	err = c.ask(ctx, token, func(ctx context.Context, service *gophercloud.ServiceClient) error {
		err := images.Delete(ctx, service, id).ExtractErr()
		if statusOf(err) == http.StatusForbidden { // it is protected
			if _, err := images.Update(ctx, service, id, images.UpdateOpts{images.ReplaceImageProtected{NewProtected: false}}).Extract(); err == nil {
				return images.Delete(ctx, service, id).ExtractErr()
			}
		}
		status = statusOf(err)
		return err
	})
	switch {
	case err == nil, status == http.StatusNotFound, status == http.StatusGone:
		return nil
	case fault.Is(err, fault.NotFound):
		return fault.New(fault.Forbidden, "the image service does not let the service user delete the image (status %d)", status)
	}
	return err
}
