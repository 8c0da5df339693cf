package api

import (
	"context"
	"path/filepath"
	"testing"

	"clinker/internal/keys"
	"clinker/internal/openstack/glance"
)

// namingImages is an image service with one image, which names a key.
type namingImages struct {
	someImages
	key *string
}

func (i namingImages) Image(context.Context, string, string) (glance.Image, error) {
	return glance.Image{ID: imageIDOf("locked"), Status: "active", DiskFormat: "raw", ContainerFormat: "bare", SizeBytes: 1 << 20,
		Properties: map[string]string{"cinder_encryption_key_id": *i.key}}, nil
}

// TestImageOpensNoKeyOfOthers: a key store that trusts Clinker gives it every key. An
// image of a tenant's own that names another's key must not have it copied.
func TestImageOpensNoKeyOfOthers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key-file")
	if _, err := keys.MakeFile(path); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.ReadRing(path)
	if err != nil {
		t.Fatal(err)
	}
	named := ""
	w := newWorld(t, func(o *Options) { o.Keys, o.Images = keys.NewLocal(o.DB, ring), namingImages{key: &named} })
	luks := w.luksType(usual)
	victim := w.volume("member", `, "volume_type": "`+luks+`"`)
	named = w.do("member", "GET", "/v3/volumes/"+victim+"/encryption", "").at("encryption_key_id").(string)
	body := `{"volume": {"size": 1, "volume_type": "` + luks + `", "imageRef": "` + imageIDOf("locked") + `"}}`
	w.do("other", "POST", "/v3/volumes", body).want(t, 400)
	w.do("member", "POST", "/v3/volumes", body).want(t, 202)
}
