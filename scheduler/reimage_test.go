package scheduler_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

// reimage asks for an image in place of what a volume holds, as the API does.
func (r *rig) reimage(id string) (image string) {
	r.Helper()
	image = uuid.NewString()
	err := r.db.Tx(r.Context(), func(tx *db.Tx) error {
		return tx.BeginReimage(r.Context(), id, db.ReimageBeginReserved, db.Reimage{ImageID: image, Metadata: db.StringMap{"image_id": image}}, "req-reimage")
	})
	if err != nil {
		r.Fatal(err)
	}
	return image
}

func content(image string) string { return "http://glance/v2/images/" + image + "/file" }

func TestReimage(t *testing.T) {
	r, node, _ := newImageRig(t)
	r.start()
	v := r.made(node, "the old system")
	image := r.reimage(v.ID)
	v = r.rests(v.ID, "available")
	if node.Volumes()[v.ID].Content != content(image) || v.ImageID == nil || *v.ImageID != image || v.ImageMetadata["image_id"] != image || !v.Bootable {
		t.Errorf("%+v, holds %q", v, node.Volumes()[v.ID].Content)
	}
	if got := r.statuses(v.ID); got != "creating available downloading available" {
		t.Errorf("statuses: %s", got)
	}
	if node.Calls("copy_image") != 0 || node.Calls("create") != 1 {
		t.Error("the volume was made again")
	}
	if _, err := r.db.ReimageOf(t.Context(), v.ID); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

// TestReimageBeginsAnew: the node forgets what it was at, as after kill -9.
func TestReimageBeginsAnew(t *testing.T) {
	r, node, _ := newImageRig(t)
	r.adjust = func(adjust func(*scheduler.Options)) func(*scheduler.Options) {
		return func(o *scheduler.Options) { adjust(o); o.Jobs.FirstWait = 50 * time.Millisecond }
	}(r.adjust)
	r.start()
	v := r.made(node, "the old system")
	node.SetSlow(time.Hour)
	image := r.reimage(v.ID)
	r.eventually("the copy", func() bool { return node.Calls("reimage") > 0 })
	node.SetSlow(0)
	node.Forget()
	r.rests(v.ID, "available")
	if node.Volumes()[v.ID].Content != content(image) {
		t.Errorf("it holds %q", node.Volumes()[v.ID].Content)
	}
}

// TestReimageLost: a volume whose job was lost gets one, and not one that makes it.
func TestReimageLost(t *testing.T) {
	r, node, images := newImageRig(t)
	r.start()
	v := r.made(node, "the old system")
	images.set(func(f *fakeImages) { f.err = fault.New(fault.Unavailable, "away") })
	image := r.reimage(v.ID)
	r.exec("DELETE FROM river_job WHERE kind = 'volume_reimage'")
	images.set(func(f *fakeImages) { f.err = nil })
	r.exec("UPDATE volumes SET updated_at = now() - interval '1 hour' WHERE status = 'downloading'")
	v = r.rests(v.ID, "available")
	if node.Volumes()[v.ID].Content != content(image) || node.Calls("copy_image") != 0 {
		t.Errorf("it holds %q", node.Volumes()[v.ID].Content)
	}
}

// TestReimageThatCannotBe: the volume is in error, the user is told, and a further
// try mends it.
func TestReimageThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*fakeImages, *nodetest.Node)
		says   string
	}{
		"gone":     {func(f *fakeImages, _ *nodetest.Node) { f.err = fault.New(fault.NotFound, "no such image") }, "is gone"},
		"too long": {func(f *fakeImages, _ *nodetest.Node) { f.image.SizeBytes = 2 * gib }, "does not fit"},
		"silent":   {func(f *fakeImages, _ *nodetest.Node) { f.err = fault.New(fault.Unavailable, "no answer") }, "does not answer"},
		"node": {func(_ *fakeImages, n *nodetest.Node) {
			n.Break(nodetest.Fault{Method: "reimage", Err: fault.New(fault.Internal, "broken")})
		}, "only in part"},
	} {
		t.Run(name, func(t *testing.T) {
			r, node, images := newImageRig(t)
			r.start()
			v := r.made(node, "the old system")
			fine := images.image
			images.set(func(f *fakeImages) { c.change(f, node) })
			r.reimage(v.ID)
			v = r.rests(v.ID, "error")
			m := r.messages()
			if len(m) != 1 || m[0].EventID != "VOLUME_VOLUME_016_001" || !strings.Contains(m[0].UserMessage(), c.says) {
				t.Errorf("told %+v", m)
			}
			if v.PoolID == nil || v.ImageID != nil {
				t.Errorf("%+v", v)
			}
			node.Mend()
			images.set(func(f *fakeImages) { f.image, f.err = fine, nil })
			image := r.reimage(v.ID)
			r.rests(v.ID, "available")
			if node.Volumes()[v.ID].Content != content(image) {
				t.Errorf("it holds %q", node.Volumes()[v.ID].Content)
			}
		})
	}
}

// TestReimageReserved: the server that has reserved the volume is told when it is
// reserved again.
func TestReimageReserved(t *testing.T) {
	r, node, images := newImageRig(t)
	compute := &fakeCompute{r: r}
	r.adjust = func(o *scheduler.Options) { o.Jobs.Compute, o.Jobs.Images = compute, images }
	r.start()
	v := r.made(node, "the old system")
	a := r.attachment(v, node, db.AttachReserved, `{}`, false)
	server := uuid.NewString()
	if _, err := r.db.Pool().Exec(t.Context(), "UPDATE attachments SET instance_uuid = $1 WHERE id = $2", server, a.ID); err != nil {
		t.Fatal(err)
	}
	r.exec("UPDATE volumes SET status = 'reserved'")
	r.reimage(v.ID)
	r.rests(v.ID, "reserved")
	r.eventually("its server is told", func() bool { return slices.Equal(compute.servers(), []string{server}) })
}
