package crash

import (
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/attachments"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
)

// deleteAll detaches and deletes everything, through the API: what is at rest
// can be worked with.
func (w *world) deleteAll(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	pages, err := attachments.List(w.client, nil).AllPages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	attached, err := attachments.ExtractAttachments(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range attached {
		if err := attachments.Delete(ctx, w.client, a.ID).ExtractErr(); err != nil {
			t.Errorf("detach: %v\n%s", err, w.story(t, a.VolumeID))
		}
	}
	pages, err = volumes.List(w.client, nil).AllPages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	all, err := volumes.ExtractVolumes(pages)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d volumes, %d attachments are left to delete", len(all), len(attached))
	for _, v := range all {
		if err := volumes.Delete(ctx, w.client, v.ID, nil).ExtractErr(); err != nil && !gophercloud.ResponseCodeIs(err, 404) {
			t.Errorf("delete a volume that is %s: %v\n%s", v.Status, err, w.story(t, v.ID))
		}
	}
}
