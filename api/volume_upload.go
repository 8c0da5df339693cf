package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/openstack/glance"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.volume_upload_image", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-volume_upload_image", Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume_extension:volume_actions:upload_image"}, Object: true, Handler: s.uploadVolume}}
	})
}

// askToCreate is how long the image service may take to make an image, shorter
// than the reconciler's patience with an upload that nobody seems to be at.
const askToCreate = 20 * time.Second

// uploadRequest is the body of volume_actions.volume_upload_image.
type uploadRequest struct {
	Upload struct {
		ImageName       string  `json:"image_name"`
		Force           boolish `json:"force"`
		DiskFormat      string  `json:"disk_format"`
		ContainerFormat *string `json:"container_format"`
		Visibility      string  `json:"visibility"`
		Protected       boolish `json:"protected"`
	} `json:"os-volume_upload_image"`
}

// uploadVolume makes an image of a volume. The user's own token makes it, so that
// it is theirs and their quota and rights count; its bytes follow in a job, which
// the service user's token is for.
func (s *Server) uploadVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	in := uploadRequest{}
	in.Upload.DiskFormat, in.Upload.Visibility = "raw", "private"
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	image := s.imageOfVolume(c, in, v)
	if err := s.mayUpload(c, v, image); err != nil {
		return nil, err
	}
	move := db.UploadBegin
	if bool(in.Upload.Force) && s.ForceUpload {
		move = db.UploadBeginInUse
	}
	upload := db.ImageUpload{ImageID: image.ID, VolumeID: v.ID, DiskFormat: image.DiskFormat, RequestID: c.RequestID}
	key, err := c.imageKey(v, image)
	if err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error {
		key.keep(tx, image.ID)
		begun, err := tx.BeginUpload(c.Context(), v.ID, move, upload)
		v.Status, v.UpdatedAt = begun.Status, begun.UpdatedAt
		return err
	})
	if fault.Is(err, fault.Conflict) {
		err = fault.Wrap(err, fault.Invalid, "Invalid volume: Volume %s status must be %s", v.ID, strings.Join(move.From, " or "))
	}
	if err != nil {
		key.abandon()
		return nil, err
	}
	made, err := s.createImage(c, upload, image)
	if err != nil {
		return nil, err
	}
	kind, err := c.database().VolumeType(c.Context(), v.VolumeTypeID, "")
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	return c.uploadView(v, kind, made), nil
}

// imageOfVolume is what the image service is asked for.
func (s *Server) imageOfVolume(c *Call, in uploadRequest, v db.Volume) glance.NewImage {
	image := glance.NewImage{ID: uuid.NewString(), Name: in.Upload.ImageName, DiskFormat: in.Upload.DiskFormat, ContainerFormat: "bare",
		Properties: s.uploadedProperties(v.ImageMetadata)}
	if in.Upload.ContainerFormat != nil {
		image.ContainerFormat = *in.Upload.ContainerFormat
	}
	if c.Since(1) {
		protected := bool(in.Upload.Protected)
		image.Visibility, image.Protected = in.Upload.Visibility, &protected
	}
	return image
}

// coreProperties are what every image has of its own (Cinder's
// glance_core_properties), and keptNamespaces begin the names of what belongs to
// the image that the volume was made of and to no other.
var (
	coreProperties = map[string]bool{"checksum": true, "container_format": true, "disk_format": true, "image_name": true, "image_id": true,
		"min_disk": true, "min_ram": true, "name": true, "size": true, "id": true, "status": true, "visibility": true, "protected": true}
	keptNamespaces = []string{"os_glance", "img_signature"}
)

// uploadedProperties gives what an image of the volume says of itself.
func (s *Server) uploadedProperties(metadata db.StringMap) map[string]string {
	properties := map[string]string{}
	for key, value := range metadata {
		kept := coreProperties[key]
		for _, space := range append(keptNamespaces, s.ReservedImageNamespaces...) {
			kept = kept || strings.HasPrefix(key, space)
		}
		if !kept {
			properties[key] = value
		}
	}
	return properties
}

// mayUpload refuses what no image can be made of.
func (s *Server) mayUpload(c *Call, v db.Volume, image glance.NewImage) error {
	if image.Visibility == "public" {
		if err := c.Require("volume_extension:volume_actions:upload_public", c.caller()); err != nil {
			return err
		}
	}
	switch {
	case s.Images == nil:
		return fault.New(fault.Invalid, "There is no image service here that could keep images of volumes.")
	case v.EncryptionKeyID != nil && (image.DiskFormat != "raw" || image.ContainerFormat != "bare"):
		return fault.New(fault.Invalid, "An encrypted volume uploaded as an image must use 'raw' disk_format and 'bare' container_format, which are the defaults for these options.")
	case image.ContainerFormat == "compressed":
		return fault.New(fault.Invalid, "Image compression disallowed, but container_format is compressed.")
	}
	return nil
}

// createImage asks for the image and has a job bring its bytes. When there is no
// image the volume is as it was; when nobody knows whether there is one, a job
// deletes it. The client may go away meanwhile.
func (s *Server) createImage(c *Call, upload db.ImageUpload, image glance.NewImage) (glance.Image, error) {
	ctx := context.WithoutCancel(c.Context())
	ask, cancel := context.WithTimeout(ctx, askToCreate)
	defer cancel()
	made, err := s.Images.Create(ask, c.request.Header.Get("X-Auth-Token"), image)
	if err == nil {
		err = s.db.Tx(ctx, func(tx *db.Tx) error { return tx.StartUpload(ctx, upload) })
		if fault.Is(err, fault.Conflict) {
			err = fault.Wrap(err, fault.Unavailable, "The image service took too long to make the image, which is given up.")
		}
		return made, err
	}
	upload.State = db.UploadCreating
	ended := s.db.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailUpload(ctx, upload, "the image service did not make the image"); err != nil {
			return err
		}
		if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unauthorized) { // it was not made
			return tx.ForgetUpload(ctx, upload.ImageID)
		}
		return tx.DropUpload(ctx, upload)
	})
	if ended != nil && !fault.Is(ended, fault.Conflict) {
		return made, ended
	}
	if fault.Is(err, fault.Unauthorized) {
		err = fault.Wrap(err, fault.Invalid, "%s", fault.MessageOf(err))
	}
	return made, err
}

// uploadView has the fields of volume.upload_image (fields.tsv).
func (c *Call) uploadView(v db.Volume, kind db.VolumeType, image glance.Image) View {
	see := c.typeVisible()
	return func(o object) {
		o.object("os-volume_upload_image", func(o object) {
			o.str("id", v.ID)
			o.when("updated_at", v.UpdatedAt)
			o.str("status", v.Status)
			o.text("display_description", v.Description)
			o.int("size", v.SizeGiB)
			if kind.ID == "" {
				o.null("volume_type")
			} else {
				o.object("volume_type", func(o object) { typeFields(o, kind, see, false) })
			}
			o.str("image_id", image.ID)
			o.str("container_format", image.ContainerFormat)
			o.str("disk_format", image.DiskFormat)
			o.str("image_name", image.Name)
			if c.Since(1) {
				o.bool("protected", image.Protected)
				o.str("visibility", image.Visibility)
			}
		})
	}
}
