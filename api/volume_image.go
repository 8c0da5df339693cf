package api

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/openstack/glance"
)

// Images tells what the bearer of a token may know of images; *glance.Client is
// one.
type Images interface {
	// Image gives NotFound when there is none, or none for that bearer.
	Image(ctx context.Context, token, id string) (glance.Image, error)
	// Named gives the ids of images of that name, two of them if there are more.
	Named(ctx context.Context, token, name string) ([]string, error)
	// Create gives Invalid when the image service refuses; after any other error
	// the image may be there or not.
	Create(ctx context.Context, token string, image glance.NewImage) (glance.Image, error)
}

// noImage is what Cinder says of an image that is not there for the caller.
func noImage() error {
	return fault.New(fault.Invalid, "Invalid image identifier or unable to access requested image.")
}

// imageRef is what the request wants an image of, false when it wants none: an
// id, a URL that ends in one, or a name.
func (in volumeRequest) imageRef() (string, bool) {
	v := in.Volume
	if v.ImageRef != nil {
		return *v.ImageRef, true
	}
	return v.ImageID, v.ImageID != ""
}

// image finds the image that a new volume is to be made of, for those who may make one
// of an image; nil for none. An image that the caller may not use does not exist for them.
func (c *Call) image(in volumeRequest) (*glance.Image, error) {
	ref, wanted := in.imageRef()
	if !wanted {
		return nil, nil
	}
	if err := c.Require("volume:create_from_image", c.caller()); err != nil {
		return nil, err
	}
	if ref == "" || c.server.Images == nil {
		return nil, noImage()
	}
	token := c.request.Header.Get("X-Auth-Token")
	id, err := c.imageID(token, ref)
	if err != nil {
		return nil, err
	}
	image, err := c.server.Images.Image(c.Context(), token, id)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unauthorized) {
		err = noImage()
	}
	if err != nil {
		return nil, err
	}
	return &image, c.usable(image)
}

// usable refuses images that no volume can be made of.
func (c *Call) usable(image glance.Image) error {
	if image.Status != "active" {
		return fault.New(fault.Invalid, "Invalid input received: Image %s is not active.", image.ID)
	}
	if why := image.Reason(c.server.VerifySignatures); why != "" {
		return fault.New(fault.Invalid, "Image %s is unacceptable: %s.", image.ID, why)
	}
	return nil
}

func (c *Call) imageID(token, ref string) (string, error) {
	last := ref[strings.LastIndexByte(ref, '/')+1:]
	if id, err := uuid.Parse(last); err == nil {
		return id.String(), nil
	}
	ids, err := c.server.Images.Named(c.Context(), token, ref)
	switch {
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Unauthorized), err == nil && len(ids) == 0:
		return "", noImage()
	case err != nil:
		return "", err
	case len(ids) > 1:
		return "", fault.New(fault.Conflict, "Multiple matches found for '%s', use an ID to be more specific.", ref)
	}
	return ids[0], nil
}

// imageType is the type that an image wants its volumes to be of, "" for any.
func imageType(image *glance.Image) string {
	if image == nil {
		return ""
	}
	return image.Properties["cinder_img_volume_type"]
}

// giveImage makes the volume one of the image, if it is large enough.
func giveImage(image *glance.Image, v *db.Volume) error {
	if image == nil {
		return nil
	}
	if err := imageFits(*image, v.SizeGiB); err != nil {
		return err
	}
	v.ImageID, v.ImageMetadata, v.Bootable = &image.ID, image.Metadata(), true
	return nil
}

// imageFits refuses volumes that are too small for an image.
func imageFits(image glance.Image, sizeGiB int) error {
	const gib = 1 << 30
	size := int((image.SizeBytes + gib - 1) / gib)
	virtual := int((image.VirtualBytes + gib - 1) / gib)
	switch {
	case size > sizeGiB:
		return fault.New(fault.Invalid, "Invalid input received: Size of specified image %dGB is larger than volume size %dGB.", size, sizeGiB)
	case sizeGiB < image.MinDiskGiB:
		return fault.New(fault.Invalid, "Invalid input received: Volume size %dGB cannot be smaller than the image minDisk size %dGB.", sizeGiB, image.MinDiskGiB)
	case virtual > sizeGiB:
		return fault.New(fault.Invalid, "Image %s is unacceptable: Image virtual size is %dGB and doesn't fit in a volume of size %dGB.", image.ID, virtual, sizeGiB)
	}
	return nil
}
