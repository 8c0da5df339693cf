//go:build tempest

package upstream

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"

	"clinker/tempest/rig"
)

// glanceWorld is a cloud with the real Keystone and Glance.
type glanceWorld struct {
	*testing.T
	cloud            *rig.Cloud
	volumes, glances *gophercloud.ServiceClient
}

func newGlanceWorld(t *testing.T) *glanceWorld {
	dir := filepath.Join(t.TempDir(), "cloud")
	if err := os.MkdirAll(filepath.Join(dir, "lock"), 0o755); err != nil {
		t.Fatal(err)
	}
	k := startKeystone(t, dir)
	startGlance(t, k)
	w := &glanceWorld{T: t, cloud: rig.Start(t, rig.Options{NodeSettings: "image_volume_cache_enabled = true", Settings: "enable_force_upload = true",
		Keystone: &rig.Keystone{AuthURL: k.url(), Username: "cinder", Password: k.password}})}
	k.announce(t, "block-storage", "cinder", w.cloud.Endpoint+"/$(project_id)s")
	k.logIn(t)
	var err error
	if w.volumes, err = openstack.NewBlockStorageV3(k.identity.ProviderClient, gophercloud.EndpointOpts{Region: region}); err != nil {
		t.Fatal(err)
	}
	if w.glances, err = openstack.NewImageV2(k.identity.ProviderClient, gophercloud.EndpointOpts{Region: region}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *glanceWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// image gives Glance an image.
func (w *glanceWorld) image(format string, content []byte) string {
	w.Helper()
	made, err := images.Create(w.Context(), w.glances, images.CreateOpts{Name: format, DiskFormat: format, ContainerFormat: "bare",
		Properties: map[string]string{"hw_disk_bus": "scsi"}}).Extract()
	w.must(err)
	w.must(imagedata.Upload(w.Context(), w.glances, made.ID, bytes.NewReader(content)).ExtractErr())
	return made.ID
}

func (w *glanceWorld) volumeOf(image string) string {
	w.Helper()
	v, err := volumes.Create(w.Context(), w.volumes, volumes.CreateOpts{Size: 1, ImageID: image}, nil).Extract()
	w.must(err)
	rig.AwaitVolume(w, w.volumes, v.ID, "available")
	return v.ID
}

// content is what a volume or an image holds, as far as it can be kept in memory.
type content struct {
	bytes int64
	sum   [sha256.Size]byte
}

func contentOf(r io.Reader) (c content, err error) {
	sum := sha256.New()
	c.bytes, err = io.Copy(sum, r)
	sum.Sum(c.sum[:0])
	return c, err
}

// padded is the content of data and zeroes after it, of that many bytes together.
func padded(data []byte, bytesOf int64) content {
	c, _ := contentOf(io.MultiReader(bytes.NewReader(data), io.LimitReader(zeroes{}, bytesOf-int64(len(data)))))
	return c
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (w *glanceWorld) content(volume string) content {
	w.Helper()
	f, err := os.Open(filepath.Join(w.cloud.Nodes[0].Volumes, "volume-"+volume))
	w.must(err)
	defer f.Close()
	c, err := contentOf(f)
	w.must(err)
	return c
}

// upload makes an image of a volume and waits for it.
func (w *glanceWorld) upload(volume string, o volumes.UploadImageOpts) string {
	w.Helper()
	c := *w.volumes
	c.Microversion = "3.1"
	up, err := volumes.UploadImage(w.Context(), &c, volume, o).Extract()
	w.must(err)
	rig.AwaitVolume(w, w.volumes, volume, "available")
	image, err := images.Get(w.Context(), w.glances, up.ImageID).Extract()
	w.must(err)
	if image.Status != images.ImageStatusActive || image.DiskFormat != o.DiskFormat || image.Protected != o.Protected || image.Properties["hw_disk_bus"] != "scsi" {
		w.Errorf("%+v", image)
	}
	return up.ImageID
}

// TestTempestGlance goes through the real image service and back, in several
// formats, and compares bytes. (Its name is for make tempest.)
func TestTempestGlance(t *testing.T) {
	w := newGlanceWorld(t)
	data := make([]byte, 12<<20)
	_, err := rand.Read(data[:8<<20])
	w.must(err)
	volume := w.volumeOf(w.image("raw", data))
	want := w.content(volume)
	if want != padded(data, want.bytes) {
		t.Fatal("the volume does not hold the image")
	}
	for _, format := range []string{"raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx"} {
		image := w.upload(volume, volumes.UploadImageOpts{ImageName: format, DiskFormat: format, Visibility: "private", Protected: format == "qcow2"})
		if w.content(w.volumeOf(image)) != want {
			t.Errorf("%s: there and back, it holds other bytes", format)
		}
	}
	w.reimaged(data)
	w.interrupted(volume, want)
	w.refused(volume)
}

// reimaged: the image takes the place of what was there.
func (w *glanceWorld) reimaged(old []byte) {
	w.Helper()
	fresh := make([]byte, 1<<20)
	_, _ = rand.Read(fresh)
	raw := filepath.Join(w.TempDir(), "raw")
	w.must(os.WriteFile(raw, fresh, 0o600))
	if said, err := exec.Command("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, raw+".qcow2").CombinedOutput(); err != nil {
		w.Fatalf("%v: %s", err, said)
	}
	qcow2, err := os.ReadFile(raw + ".qcow2")
	w.must(err)
	volume := w.volumeOf(w.image("raw", old))
	c := *w.volumes
	c.Microversion = "3.68"
	w.must(volumes.ReImage(w.Context(), &c, volume, volumes.ReImageOpts{ImageID: w.image("qcow2", qcow2)}).ExtractErr())
	rig.AwaitVolume(w, w.volumes, volume, "available")
	if got := w.content(volume); got != padded(fresh, got.bytes) {
		w.Error("the volume does not hold the new image and nothing else")
	}
}

// interrupted: the node is killed while it sends; Glance has the image whole in the
// end.
func (w *glanceWorld) interrupted(volume string, want content) {
	w.Helper()
	up, err := volumes.UploadImage(w.Context(), w.volumes, volume, volumes.UploadImageOpts{ImageName: "interrupted", DiskFormat: "raw"}).Extract()
	w.must(err)
	rig.Eventually(w, rig.Settle, func() error {
		image, err := images.Get(w.Context(), w.glances, up.ImageID).Extract()
		if err == nil && image.Status == images.ImageStatusQueued {
			err = fmt.Errorf("the image is %s", image.Status)
		}
		return err
	})
	w.cloud.Nodes[0].Kill()
	w.must(w.cloud.Nodes[0].Start())
	rig.AwaitVolume(w, w.volumes, volume, "available")
	image, err := images.Get(w.Context(), w.glances, up.ImageID).Extract()
	w.must(err)
	if image.Status != images.ImageStatusActive || image.SizeBytes != want.bytes {
		w.Errorf("%+v", image)
	}
	body, err := imagedata.Download(context.WithoutCancel(w.Context()), w.glances, up.ImageID).Extract()
	w.must(err)
	defer body.Close()
	if got, err := contentOf(body); err != nil || got != want {
		w.Errorf("Glance has other bytes, %v", err)
	}
}

// refused: Glance's own words come through, and nothing is left of it.
func (w *glanceWorld) refused(volume string) {
	w.Helper()
	_, err := volumes.UploadImage(w.Context(), w.volumes, volume, volumes.UploadImageOpts{ImageName: "refused", DiskFormat: "raw", ContainerFormat: "tar"}).Extract()
	if !gophercloud.ResponseCodeIs(err, 400) || !bytes.Contains([]byte(err.Error()), []byte("tar")) {
		w.Errorf("got %v", err)
	}
	rig.AwaitVolume(w, w.volumes, volume, "available")
	pages, err := images.List(w.glances, images.ListOpts{Status: images.ImageStatusQueued}).AllPages(w.Context())
	w.must(err)
	if left, err := images.ExtractImages(pages); err != nil || len(left) != 0 {
		w.Errorf("left %v, %v", left, err)
	}
}
