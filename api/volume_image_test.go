package api

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/openstack/glance"
)

// ownImage is the id of an image that only the persona member may use.
const ownImage = "cccccccc-cccc-cccc-cccc-cccccccccccc"

// someImages is an image service with images that are known by their names; an id
// is made of each.
type someImages struct{}

func imageIDOf(name string) string { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String() }

func (someImages) all() []glance.Image {
	image := func(name string, change func(*glance.Image)) glance.Image {
		i := glance.Image{ID: imageIDOf(name), Name: name, Status: "active", DiskFormat: "qcow2", ContainerFormat: "bare", SizeBytes: 1 << 20,
			MinRAMMiB: 64, Checksum: "abc", HashAlgo: "sha512", HashValue: "def", Properties: map[string]string{}}
		change(&i)
		return i
	}
	return []glance.Image{
		image("fine", func(i *glance.Image) { i.Properties["hw_disk_bus"] = "scsi" }),
		image("queued", func(i *glance.Image) { i.Status = "queued" }),
		image("large", func(i *glance.Image) { i.SizeBytes, i.MinDiskGiB = 2<<30+1, 4 }),
		image("signed", func(i *glance.Image) { i.Properties["img_signature"] = "x" }),
		image("docker", func(i *glance.Image) { i.ContainerFormat = "docker" }),
		image("typed", func(i *glance.Image) { i.Properties["cinder_img_volume_type"] = "of the image" }),
		image("raw", func(i *glance.Image) { i.DiskFormat, i.SizeBytes = "raw", 1<<30 }),
		image("locked", func(i *glance.Image) {
			i.DiskFormat, i.Properties = "raw", map[string]string{"cinder_encryption_key_id": imageKey}
		}),
		image("own", func(i *glance.Image) { i.ID = ownImage }),
	}
}

// refusedFormat is a container format that the image service does not know.
const refusedFormat = "tar"

func (someImages) Create(ctx context.Context, token string, n glance.NewImage) (glance.Image, error) {
	made := glance.Image{ID: n.ID, Name: n.Name, Status: "queued", DiskFormat: n.DiskFormat, ContainerFormat: n.ContainerFormat,
		Visibility: n.Visibility, Properties: n.Properties}
	if n.Visibility == "" {
		made.Visibility = "shared"
	}
	if n.Protected != nil {
		made.Protected = *n.Protected
	}
	switch {
	case n.ContainerFormat == refusedFormat:
		return made, fault.New(fault.Invalid, "The image service refuses the image: 400 Bad Request Invalid container format 'tar' for image.")
	case n.Name == "silent":
		return made, fault.New(fault.Unavailable, "The image service does not answer.")
	case token != "member" && token != "admin" && token != "service":
		return made, fault.New(fault.Unauthorized, "The image service does not accept the token.")
	}
	return made, nil
}

func (s someImages) Image(_ context.Context, token, id string) (glance.Image, error) {
	for _, i := range s.all() {
		if i.ID == id && (id != ownImage || token == "member") {
			return i, nil
		}
	}
	return glance.Image{}, fault.New(fault.NotFound, "no such image")
}

func (s someImages) Named(_ context.Context, _, name string) (ids []string, err error) {
	for _, i := range s.all() {
		if i.Name == name {
			ids = append(ids, i.ID)
		}
	}
	switch name {
	case "twice":
		ids = []string{"1", "2"}
	case "silent":
		err = fault.New(fault.Unavailable, "The image service does not answer.")
	}
	return ids, err
}

// TestVolumeOfImageByRule: who may make volumes may be denied to make them of images.
func TestVolumeOfImageByRule(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Policy = restricted(t, "volume:create_from_image") })
	of := `{"volume": {"size": 1, "imageRef": "` + imageIDOf("fine") + `"}}`
	w.do("member", "POST", "/v3/volumes", of).want(t, 403)
	w.do("admin", "POST", "/v3/volumes", of).want(t, 202)
	w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1}}`).want(t, 202)
}

// TestVolumeOfImage: by id, by URL and by name. What is known of the image is
// shown, though not in the answer to the request.
func TestVolumeOfImage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := imageIDOf("fine")
	for _, ref := range []string{`"imageRef": "` + id + `"`, `"imageRef": "http://glance/v2/images/` + id + `"`, `"imageRef": "fine"`, `"image_id": "` + id + `"`} {
		r := w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1, `+ref+`}}`).want(t, 202)
		if strings.Contains(r.body, "volume_image_metadata") {
			t.Errorf("%s: the answer has the image's metadata", ref)
		}
		v := r.at("volume", "id").(string)
		shown := w.do("member", "GET", "/v3/volumes/"+v, "").want(t, 200)
		for key, want := range map[string]string{"image_id": id, "image_name": "fine", "checksum": "abc", "container_format": "bare",
			"disk_format": "qcow2", "min_disk": "0", "min_ram": "64", "size": "1048576", "hw_disk_bus": "scsi"} {
			if got := shown.at("volume", "volume_image_metadata", key); got != want {
				t.Errorf("%s: %s is %v", ref, key, got)
			}
		}
		if shown.at("volume", "bootable") != "true" || shown.at("volume", "status") != "creating" {
			t.Errorf("%s: %s", ref, shown.body)
		}
		row, err := w.db.Volume(t.Context(), v, "")
		if err != nil || row.ImageID == nil || *row.ImageID != id {
			t.Errorf("%s: %+v %v", ref, row, err)
		}
	}
}

// TestTypeOfImage: the image's type counts unless another is asked for.
func TestTypeOfImage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := `{"volume": {"size": 1, "imageRef": "typed"`
	w.do("member", "POST", "/v3/volumes", create+`}}`).want(t, 404)
	w.do("admin", "POST", "/v3/types", `{"volume_type": {"name": "of the image"}}`).want(t, 200)
	for more, want := range map[string]string{"": "of the image", `, "volume_type": "__DEFAULT__"`: "__DEFAULT__"} {
		r := w.do("member", "POST", "/v3/volumes", create+more+`}}`).want(t, 202)
		if got := r.at("volume", "volume_type"); got != want {
			t.Errorf("%s: %v", more, got)
		}
	}
}

// TestDownloadingIsNotReserved: a volume that is not made yet is nobody's to attach.
func TestDownloadingIsNotReserved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1, "imageRef": "fine"}}`).want(t, 202).at("volume", "id").(string)
	if err := w.db.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.MoveVolume(t.Context(), v, db.DownloadBegin, "", nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.do("member@27", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+v+`", "instance_uuid": "`+uuid.NewString()+`"}}`).want(t, 400)
	w.do("member", "DELETE", "/v3/volumes/"+v, "").want(t, 400)
	w.settle(v)
	if shown := w.do("member", "GET", "/v3/volumes/"+v, ""); shown.at("volume", "status") != "available" {
		t.Error(shown.body)
	}
}

// TestNoImageService: where there is none, no image is there.
func TestNoImageService(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Images = nil })
	r := w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1, "imageRef": "fine"}}`).want(t, 400)
	if r.message() != "Invalid image identifier or unable to access requested image." {
		t.Error(r.body)
	}
}
