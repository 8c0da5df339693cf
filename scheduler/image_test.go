package scheduler_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/internal/openstack/glance"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

// fakeImages is an image service that gives one image, or fails.
type fakeImages struct {
	mu    sync.Mutex
	image glance.Image
	err   error
	asked int

	deleted    []string
	deleteFail error
}

func (f *fakeImages) Delete(_ context.Context, id string, unlessWhole bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deleteFail != nil {
		return f.deleteFail
	}
	if !unlessWhole || f.image.Status == "queued" || f.image.Status == "saving" {
		f.deleted = append(f.deleted, id)
	}
	return nil
}

func (f *fakeImages) Download(_ context.Context, id string) (glance.Image, string, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	image := f.image
	image.ID = id
	return image, "http://glance/v2/images/" + id + "/file", "a token", f.err
}

func (f *fakeImages) set(change func(*fakeImages)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func activeImage() *fakeImages {
	return &fakeImages{image: glance.Image{Status: "active", DiskFormat: "raw", ContainerFormat: "bare", SizeBytes: 1 << 20,
		HashAlgo: "sha512", HashValue: "00"}}
}

// imaged asks for a volume made of an image.
func (r *rig) imaged() db.Volume {
	r.Helper()
	id := uuid.NewString()
	return r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.ImageID = &id })
}

func newImageRig(t *testing.T) (*rig, *nodetest.Node, *fakeImages) {
	t.Parallel()
	node, images := nodetest.New("a").WithPool("lvm", "vg", 100*gib), activeImage()
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) {
		o.Jobs.Images, o.Jobs.VerifySignatures = images, true
		o.DeadAfter = time.Second
	}
	return r, node, images
}

func (r *rig) statuses(id string) string {
	return strings.Join(dbtest.Rows(r, r.db, "SELECT status FROM volume_history WHERE volume_id = $1 ORDER BY generation", id), " ")
}

func TestVolumeOfImage(t *testing.T) {
	r, node, images := newImageRig(t)
	r.start()
	node.SetSlow(100 * time.Millisecond)
	v := r.rests(r.imaged().ID, "available")
	if got := r.statuses(v.ID); got != "creating downloading available" {
		t.Errorf("statuses: %s", got)
	}
	if got := node.Volumes()[v.ID].Content; got != "http://glance/v2/images/"+*v.ImageID+"/file" || v.LaunchedAt == nil {
		t.Errorf("the volume holds %q", got)
	}
	if images.asked != 1 || node.Calls("create") != 0 {
		t.Errorf("the image service was asked %d times, and the node for %d empty volumes", images.asked, node.Calls("create"))
	}
}

// TestImageCopyOutlivesTheScheduler: a second scheduler goes on waiting for the
// operation that a first began.
func TestImageCopyOutlivesTheScheduler(t *testing.T) {
	r, node, images := newImageRig(t)
	stop := r.start()
	node.SetSlow(700 * time.Millisecond)
	v := r.imaged()
	r.eventually("the copy", func() bool { return node.Calls("copy_image") > 0 })
	stop()
	r.start()
	r.rests(v.ID, "available")
	if got := r.statuses(v.ID); got != "creating downloading available" || images.asked > 2 {
		t.Errorf("statuses: %s; asked %d times", got, images.asked)
	}
}

// TestImageCopyBeginsAnew: the node forgets what it was at, as after kill -9.
func TestImageCopyBeginsAnew(t *testing.T) {
	r, node, images := newImageRig(t)
	r.adjust = func(adjust func(*scheduler.Options)) func(*scheduler.Options) {
		return func(o *scheduler.Options) { adjust(o); o.Jobs.FirstWait = 50 * time.Millisecond }
	}(r.adjust)
	r.start()
	node.SetSlow(time.Hour)
	v := r.imaged()
	r.eventually("the copy", func() bool { return node.Calls("copy_image") > 0 })
	if got := r.read(v.ID).Status; got != "downloading" {
		t.Errorf("status %s", got)
	}
	node.SetSlow(0)
	node.Forget()
	r.rests(v.ID, "available")
	if images.asked < 2 {
		t.Errorf("the image service was asked %d times", images.asked)
	}
}

func TestImagesThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*fakeImages)
		says   string
	}{
		"gone":     {func(f *fakeImages) { f.err = fault.New(fault.NotFound, "no such image") }, "is gone."},
		"inactive": {func(f *fakeImages) { f.image.Status = "deactivated" }, "is not active any more."},
		"signed":   {func(f *fakeImages) { f.image.Properties = map[string]string{"img_signature": "x"} }, "signature cannot be verified"},
		"too long": {func(f *fakeImages) { f.image.SizeBytes = 2 * gib }, "the image does not fit."},
		"silent":   {func(f *fakeImages) { f.err = fault.New(fault.Unavailable, "no answer") }, "the image service does not answer."},
	} {
		t.Run(name, func(t *testing.T) {
			r, node, images := newImageRig(t)
			images.set(c.change)
			r.start()
			v := r.rests(r.imaged().ID, "error")
			if len(node.Volumes()) != 0 || v.PoolID != nil || v.LaunchedAt != nil {
				t.Errorf("left: %v, %+v", node.Volumes(), v)
			}
			m := r.messages()
			if len(m) != 1 || m[0].EventID != "VOLUME_VOLUME_005_001" || !strings.Contains(m[0].UserMessage(), "copy image to volume:") || !strings.HasSuffix(m[0].UserMessage(), c.says) && !strings.Contains(m[0].UserMessage(), c.says) {
				t.Errorf("told %+v", m)
			}
			if quota, pools := r.recount(); len(quota)+len(pools) != 0 {
				t.Errorf("%v %v", quota, pools)
			}
		})
	}
}

// TestImageServiceComesBack: it is tried again, and the volume is made.
func TestImageServiceComesBack(t *testing.T) {
	r, _, images := newImageRig(t)
	images.set(func(f *fakeImages) { f.err = fault.New(fault.Unavailable, "no answer") })
	r.start()
	v := r.imaged()
	r.eventually("a second try", func() bool { images.mu.Lock(); defer images.mu.Unlock(); return images.asked > 1 })
	images.set(func(f *fakeImages) { f.err = nil })
	r.rests(v.ID, "available")
}

// TestImageDeletedWhileDownloading: an administrator's force delete ends the copy.
func TestImageDeletedWhileDownloading(t *testing.T) {
	r, node, _ := newImageRig(t)
	r.start()
	node.SetSlow(200 * time.Millisecond)
	v := r.imaged()
	r.eventually("the copy", func() bool { return node.Calls("copy_image") > 0 })
	r.delete(v.ID)
	r.rests(v.ID, "deleted")
	r.eventually("nothing is left", func() bool { return len(node.Volumes()) == 0 })
	if m := r.messages(); len(m) != 0 {
		t.Errorf("told %+v", m)
	}
}
