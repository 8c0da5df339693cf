package scheduler_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler/jobs"
	"clinker/scheduler/nodetest"
)

func newUploadRig(t *testing.T) (*rig, *nodetest.Node, *fakeImages) {
	r, node, images := newImageRig(t)
	images.image.Status = "queued"
	return r, node, images
}

// made gives an available volume that holds something.
func (r *rig) made(node *nodetest.Node, content string) db.Volume {
	r.Helper()
	v := r.rests(r.request(1, nil).ID, "available")
	node.Write("lvm#vg", v.ID, content)
	return v
}

// upload asks for an image of a volume, as the API does; begun says whether the
// image service has answered.
func (r *rig) upload(v db.Volume, begun bool) (image string) {
	r.Helper()
	u := db.ImageUpload{ImageID: uuid.NewString(), VolumeID: v.ID, DiskFormat: "qcow2", RequestID: "req-upload"}
	err := r.db.Tx(r.Context(), func(tx *db.Tx) error {
		_, err := tx.BeginUpload(r.Context(), v.ID, db.UploadBegin, u)
		return err
	})
	if err == nil && begun {
		err = r.db.Tx(r.Context(), func(tx *db.Tx) error { return tx.StartUpload(r.Context(), u) })
	}
	if err != nil {
		r.Fatal(err)
	}
	return u.ImageID
}

// exec changes the database by hand.
func (r *rig) exec(sql string) {
	r.Helper()
	if _, err := r.db.Pool().Exec(r.Context(), sql); err != nil {
		r.Fatal(err)
	}
}

// forgotten waits until nothing is to be done for an image any more.
func (r *rig) forgotten(image string) {
	r.Helper()
	r.eventually("the upload ends", func() bool {
		_, err := r.db.ImageUpload(r.Context(), image)
		return fault.Is(err, fault.NotFound)
	})
}

func TestUpload(t *testing.T) {
	r, node, images := newUploadRig(t)
	r.start()
	v := r.made(node, "a system")
	image := r.upload(v, true)
	r.rests(v.ID, "available")
	r.forgotten(image)
	if got := node.Uploaded(image); got != "qcow2:a system" || len(images.deleted) != 0 || len(r.messages()) != 0 {
		t.Errorf("sent %q, deleted %v, told %v", got, images.deleted, r.messages())
	}
	if got := r.statuses(v.ID); got != "creating available uploading available" {
		t.Errorf("statuses: %s", got)
	}
}

// TestUploadOfSwapped: the node knows a volume by another id that Nova has moved.
func TestUploadOfSwapped(t *testing.T) {
	r, node, _ := newUploadRig(t)
	r.start()
	v, stored := r.made(node, "a system"), uuid.NewString()
	node.Put("lvm#vg", stored, gib)
	node.Write("lvm#vg", stored, "what Nova copied")
	r.exec("UPDATE volumes SET name_id = '" + stored + "' WHERE id = '" + v.ID + "'")
	node.Lose("lvm#vg", v.ID)
	image := r.upload(v, true)
	r.rests(v.ID, "available")
	r.forgotten(image)
	if got := node.Uploaded(image); got != "qcow2:what Nova copied" {
		t.Errorf("sent %q, told %v", got, r.messages())
	}
}

// TestUploadThatWasDone: the node's answer was lost with the node; the image has
// its bytes, and nothing is sent again.
func TestUploadThatWasDone(t *testing.T) {
	r, node, images := newUploadRig(t)
	r.start()
	v := r.made(node, "a system")
	images.set(func(f *fakeImages) { f.image.Status = "active" })
	image := r.upload(v, true)
	r.rests(v.ID, "available")
	r.forgotten(image)
	if node.Calls("upload_image") != 0 || len(images.deleted) != 0 {
		t.Errorf("sent %d times, deleted %v", node.Calls("upload_image"), images.deleted)
	}
}

// TestUploadBeginsAnew: the node forgets what it was at, as after kill -9, and the
// image service needs a moment to see that.
func TestUploadBeginsAnew(t *testing.T) {
	r, node, images := newUploadRig(t)
	r.start()
	v := r.made(node, "a system")
	node.SetSlow(time.Hour)
	image := r.upload(v, true)
	r.eventually("the upload", func() bool { return node.Calls("upload_image") > 0 })
	images.set(func(f *fakeImages) { f.image.Status = "saving" })
	asked := images.asked
	node.SetSlow(0)
	node.Forget()
	r.eventually("a look at the image", func() bool { images.mu.Lock(); defer images.mu.Unlock(); return images.asked > asked })
	if got := r.read(v.ID).Status; got != "uploading" {
		t.Errorf("status %s", got)
	}
	images.set(func(f *fakeImages) { f.image.Status = "queued" })
	r.rests(v.ID, "available")
	r.forgotten(image)
	if node.Uploaded(image) != "qcow2:a system" || len(images.deleted) != 0 {
		t.Errorf("sent %q, deleted %v", node.Uploaded(image), images.deleted)
	}
}

// TestUploadOutlivesTheScheduler: a second one goes on waiting for the same
// operation.
func TestUploadOutlivesTheScheduler(t *testing.T) {
	r, node, _ := newUploadRig(t)
	stop := r.start()
	v := r.made(node, "a system")
	node.SetSlow(3 * time.Second)
	image := r.upload(v, true)
	r.eventually("the upload", func() bool { return node.Calls("upload_image") > 0 })
	stop()
	r.start()
	r.rests(v.ID, "available")
	if node.Uploaded(image) == "" {
		t.Error("nothing was sent")
	}
}

// TestUploadThatCannotBe: the volume is as it was, the image is deleted, and the
// user is told.
func TestUploadThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trouble func(*fakeImages, *nodetest.Node)
		says    string
	}{
		"gone":   {func(f *fakeImages, _ *nodetest.Node) { f.err = fault.New(fault.NotFound, "no such image") }, "the image is gone"},
		"killed": {func(f *fakeImages, _ *nodetest.Node) { f.image.Status = "killed" }, "killed"},
		"saving": {func(f *fakeImages, _ *nodetest.Node) { f.image.Status = "saving" }, "does not wait"},
		"silent": {func(f *fakeImages, _ *nodetest.Node) { f.err = fault.New(fault.Unavailable, "no answer") }, "does not answer"},
		"refused": {func(_ *fakeImages, n *nodetest.Node) {
			n.Break(nodetest.Fault{Method: "upload_image", Err: fault.New(fault.Invalid, "no quota")})
		}, "no quota"},
	} {
		t.Run(name, func(t *testing.T) {
			r, node, images := newUploadRig(t)
			r.start()
			v := r.made(node, "a system")
			images.set(func(f *fakeImages) { c.trouble(f, node) })
			image := r.upload(v, true)
			r.rests(v.ID, "available")
			r.forgotten(image)
			if !slices.Equal(images.deleted, []string{image}) {
				t.Errorf("deleted %v", images.deleted)
			}
			m := r.messages()
			if len(m) != 1 || m[0].EventID != "VOLUME_VOLUME_003_004" || !strings.Contains(m[0].UserMessage(), c.says) {
				t.Errorf("told %+v", m)
			}
		})
	}
}

// TestUploadOfNobody: the API died before it knew of the image; the reconciler ends
// the upload.
func TestUploadOfNobody(t *testing.T) {
	r, node, images := newUploadRig(t)
	r.start()
	v := r.made(node, "a system")
	image := r.upload(v, false)
	r.exec("UPDATE image_uploads SET updated_at = now() - interval '1 hour'")
	r.rests(v.ID, "available")
	r.forgotten(image)
	if !slices.Equal(images.deleted, []string{image}) || node.Calls("upload_image") != 0 {
		t.Errorf("deleted %v", images.deleted)
	}
}

// TestUploadReset: an administrator sets the volume's status; the image goes, also
// when the image service is away at first.
func TestUploadReset(t *testing.T) {
	r, node, images := newUploadRig(t)
	r.start()
	v := r.made(node, "a system")
	node.SetSlow(time.Hour)
	image := r.upload(v, true)
	r.eventually("the upload", func() bool { return node.Calls("upload_image") > 0 })
	images.set(func(f *fakeImages) { f.deleteFail = fault.New(fault.Unavailable, "away") })
	if err := r.db.Tx(t.Context(), func(tx *db.Tx) error {
		moved, err := tx.MoveVolume(t.Context(), v.ID, db.ResetTo("error"), "", nil)
		if err != nil {
			return err
		}
		return tx.Abandon(t.Context(), moved)
	}); err != nil {
		t.Fatal(err)
	}
	r.eventually("a try to delete it", func() bool {
		u, err := r.db.ImageUpload(t.Context(), image)
		return err == nil && u.State == db.UploadAbandoned
	})
	images.set(func(f *fakeImages) { f.deleteFail = nil })
	r.exec("UPDATE river_job SET scheduled_at = now(), state = 'available' WHERE kind = 'volume_upload' AND state = 'scheduled'")
	r.eventually("the image goes", func() bool {
		r.exec("UPDATE river_job SET scheduled_at = now(), state = 'available' WHERE kind = 'volume_upload' AND state = 'scheduled'")
		images.mu.Lock()
		defer images.mu.Unlock()
		return slices.Equal(images.deleted, []string{image})
	})
	if got := r.read(v.ID).Status; got != "error" {
		t.Errorf("status %s", got)
	}
}

// TestUploadLost: an upload without a job gets one.
func TestUploadLost(t *testing.T) {
	r, node, _ := newUploadRig(t)
	r.start()
	v := r.made(node, "a system")
	image := r.upload(v, false)
	r.exec("UPDATE image_uploads SET state = 'waiting', updated_at = now() - interval '1 hour'")
	r.rests(v.ID, "available")
	if node.Uploaded(image) == "" {
		t.Error("nothing was sent")
	}
}

// TestUploadCancelled: an administrator ends it; the image goes.
func TestUploadCancelled(t *testing.T) {
	r, node, images := newUploadRig(t)
	r.start()
	v := r.made(node, "a system")
	node.SetSlow(time.Hour)
	image := r.upload(v, true)
	r.eventually("the upload", func() bool { return node.Calls("upload_image") > 0 })
	var job int64
	if err := r.db.Pool().QueryRow(t.Context(), "SELECT id FROM river_job WHERE kind = 'volume_upload'").Scan(&job); err != nil {
		t.Fatal(err)
	}
	if err := jobs.Cancel(t.Context(), r.db, job); err != nil {
		t.Fatal(err)
	}
	r.rests(v.ID, "available")
	r.forgotten(image)
	if m := r.messages(); len(m) != 1 || !strings.Contains(m[0].UserMessage(), "an administrator has cancelled it") || !slices.Equal(images.deleted, []string{image}) {
		t.Errorf("told %+v, deleted %v", m, images.deleted)
	}
}

// TestUploadInUse: the volume is in use again, and what a killed node may have left
// of it is taken away.
func TestUploadInUse(t *testing.T) {
	r, node, _ := newUploadRig(t)
	r.start()
	v := r.made(node, "a system")
	r.attachment(v, node, db.AttachAttached, `{}`, false)
	r.exec("UPDATE volumes SET status = 'in-use'")
	u := db.ImageUpload{ImageID: uuid.NewString(), VolumeID: v.ID, DiskFormat: "raw", RequestID: "req-upload"}
	node.PutSnapshot("lvm#vg", u.ImageID, v.ID, gib)
	err := r.db.Tx(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.BeginUpload(t.Context(), v.ID, db.UploadBeginInUse, u); err != nil {
			return err
		}
		return tx.StartUpload(t.Context(), u)
	})
	if err != nil {
		t.Fatal(err)
	}
	r.rests(v.ID, "in-use")
	r.forgotten(u.ImageID)
	if node.Uploaded(u.ImageID) == "" || len(node.Snapshots()) != 0 {
		t.Errorf("sent %q, left %v", node.Uploaded(u.ImageID), node.Snapshots())
	}
}
