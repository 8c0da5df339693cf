package scheduler_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

// newCacheRig has a pool that keeps images, as many as that; 0 is no bound.
func newCacheRig(t *testing.T, gib, images int) (*rig, *nodetest.Node, *fakeImages) {
	r, node, service := newImageRig(t)
	node.Change("lvm#vg", func(p *rpc.Pool) {
		p.Capabilities["image_volume_cache_enabled"] = "True"
		p.Capabilities["image_volume_cache_max_size_gb"] = fmt.Sprint(gib)
		p.Capabilities["image_volume_cache_max_count"] = fmt.Sprint(images)
	})
	return r, node, service
}

// imagedOf asks for a volume of that image.
func (r *rig) imagedOf(image string, sizeGiB int) db.Volume {
	r.Helper()
	return r.request(sizeGiB, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.ImageID = &image })
}

func (r *rig) kept() []db.CachedImage {
	r.Helper()
	pools, err := r.db.Pools(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	all, err := r.db.CachedImages(r.Context(), pools[0].ID)
	if err != nil {
		r.Fatal(err)
	}
	return all
}

// clean: counters are right, and nobody was told of any trouble.
func (r *rig) clean() {
	r.Helper()
	if quota, pools := r.recount(); len(quota)+len(pools) != 0 {
		r.Errorf("%v %v", quota, pools)
	}
	if m := r.messages(); len(m) != 0 {
		r.Errorf("told %+v", m)
	}
}

// TestTenAtOnceFetchOnce: the others wait for the one that fetches.
func TestTenAtOnceFetchOnce(t *testing.T) {
	r, node, _ := newCacheRig(t, 0, 0)
	r.start()
	node.SetSlow(100 * time.Millisecond)
	image := uuid.NewString()
	var all []db.Volume
	for i := range 10 {
		all = append(all, r.imagedOf(image, 1+i%2))
	}
	for _, v := range all {
		v = r.rests(v.ID, "available")
		if got := node.Volumes()[v.ID]; got.Content != content(image) || got.Bytes != int64(v.SizeGiB)*gib || v.SourceVolid != nil {
			t.Errorf("%+v holds %+v", v, got)
		}
	}
	if node.Calls("copy_image") != 1 || len(node.Volumes()) != 11 {
		t.Errorf("fetched %d times, %d volumes", node.Calls("copy_image"), len(node.Volumes()))
	}
	kept := r.kept()
	if len(kept) != 1 || kept[0].Status != "available" || kept[0].SizeGiB != 1 {
		t.Fatalf("%+v", kept)
	}
	keeper := r.read(kept[0].VolumeID)
	if keeper.ProjectID != "cinder-internal" || keeper.ConsumesQuota {
		t.Errorf("%+v", keeper)
	}
	seen, err := r.db.Volumes(t.Context(), db.Query{Where: []db.Condition{db.VolumesOf("p")}, Limit: 100})
	if err != nil || len(seen) != 10 {
		t.Errorf("the project has %d volumes, %v", len(seen), err)
	}
	r.clean()
}

// TestKeptAsLargeAsItsImage: a volume that is larger than its image needs does not keep
// smaller ones from being copies of what is kept for it.
func TestKeptAsLargeAsItsImage(t *testing.T) {
	r, node, service := newCacheRig(t, 0, 0)
	service.set(func(f *fakeImages) { f.image.DiskFormat, f.image.VirtualBytes = "qcow2", 2*gib-5 })
	r.start()
	image := uuid.NewString()
	for _, size := range []int{4, 2, 3} {
		v := r.rests(r.imagedOf(image, size).ID, "available")
		if got := node.Volumes()[v.ID]; got.Content != content(image) || got.Bytes != int64(size)*gib {
			t.Errorf("%+v", got)
		}
	}
	if kept := r.kept(); len(kept) != 1 || kept[0].SizeGiB != 2 || node.Calls("copy_image") != 1 {
		t.Errorf("kept %+v, fetched %d times", kept, node.Calls("copy_image"))
	}
	r.clean()
}

// TestCacheIsBounded: by number and by size, what was used last stays; an image
// that is larger than the cache is fetched for one volume.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	for name, bounds := range map[string][2]int{"by number": {0, 2}, "by size": {2, 0}} {
		t.Run(name, func(t *testing.T) {
			r, node, service := newCacheRig(t, bounds[0], bounds[1])
			r.start()
			a, b, c := uuid.NewString(), uuid.NewString(), uuid.NewString()
			for _, image := range []string{a, b, a, c} {
				r.rests(r.imagedOf(image, 1).ID, "available")
			}
			kept := map[string]bool{}
			for _, k := range r.kept() {
				kept[k.ImageID] = true
			}
			if len(kept) != 2 || !kept[a] || !kept[c] || node.Calls("copy_image") != 3 {
				t.Errorf("kept %v, fetched %d times", kept, node.Calls("copy_image"))
			}
			r.eventually("the evicted one goes", func() bool { return len(node.Volumes()) == 6 })
			service.set(func(f *fakeImages) { f.image.SizeBytes = 3 * gib })
			d := r.rests(r.imagedOf(uuid.NewString(), 4).ID, "available")
			if want := map[string]int{"by number": 2, "by size": 2}[name]; len(r.kept()) != want {
				t.Errorf("kept %+v", r.kept())
			}
			if node.Volumes()[d.ID].Content != content(*d.ImageID) {
				t.Errorf("holds %q", node.Volumes()[d.ID].Content)
			}
			r.clean()
		})
	}
}

// TestCacheAndChangedImage: the bytes that are kept are not the image's any more.
func TestCacheAndChangedImage(t *testing.T) {
	r, node, service := newCacheRig(t, 0, 0)
	r.start()
	image := uuid.NewString()
	r.rests(r.imagedOf(image, 1).ID, "available")
	old := r.kept()[0].VolumeID
	service.set(func(f *fakeImages) { f.image.HashValue = "11" })
	r.rests(r.imagedOf(image, 1).ID, "available")
	r.rests(old, "deleted")
	r.rests(r.imagedOf(image, 1).ID, "available")
	if kept := r.kept(); len(kept) != 1 || kept[0].Hash != "raw:sha512:11" || node.Calls("copy_image") != 3 {
		t.Errorf("kept %+v, fetched %d times", kept, node.Calls("copy_image"))
	}
	r.clean()
}

// TestCacheInTrouble never keeps a volume from being made.
func TestCacheInTrouble(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(r *rig, node *nodetest.Node, keeper string){
		"the node lost it": func(_ *rig, n *nodetest.Node, keeper string) { n.Lose("lvm#vg", keeper) },
		"it is in error": func(r *rig, _ *nodetest.Node, _ string) {
			r.exec("UPDATE volumes SET status = 'error' WHERE NOT consumes_quota")
		},
		"an administrator took it": func(r *rig, _ *nodetest.Node, keeper string) { r.delete(keeper); r.rests(keeper, "deleted") },
		"the pool makes no copies": func(_ *rig, n *nodetest.Node, _ string) {
			n.Break(nodetest.Fault{Method: "copy_from", Err: fault.New(fault.NoSpace, "no room for a snapshot")})
		},
		"it is larger than allowed": func(r *rig, _ *nodetest.Node, _ string) { r.exec("UPDATE image_cache SET size_gib = 7") },
	} {
		t.Run(name, func(t *testing.T) {
			r, node, _ := newCacheRig(t, 0, 0)
			r.start()
			image := uuid.NewString()
			r.rests(r.imagedOf(image, 1).ID, "available")
			trouble(r, node, r.kept()[0].VolumeID)
			v := r.rests(r.imagedOf(image, 1).ID, "available")
			if node.Volumes()[v.ID].Content != content(image) {
				t.Errorf("holds %q", node.Volumes()[v.ID].Content)
			}
			if m := r.messages(); len(m) != 0 {
				t.Errorf("told %+v", m)
			}
		})
	}
}

// TestCacheThatCannotBeFilled: all who waited fetch the image themselves.
func TestCacheThatCannotBeFilled(t *testing.T) {
	r, node, _ := newCacheRig(t, 0, 0)
	node.Break(nodetest.Fault{Method: "copy_image", Err: fault.New(fault.NoSpace, "no room"), Times: 1})
	r.start()
	image := uuid.NewString()
	for _, v := range []db.Volume{r.imagedOf(image, 1), r.imagedOf(image, 1), r.imagedOf(image, 1)} {
		r.rests(v.ID, "available")
	}
	r.clean()
}

// TestEmptyImage: one without bytes, which the image service has as any other, leaves
// no trace in what the pools have promised.
func TestEmptyImage(t *testing.T) {
	r, node, service := newCacheRig(t, 0, 0)
	service.set(func(f *fakeImages) { f.image.SizeBytes = 0 })
	node.Break(nodetest.Fault{Method: "copy_image", Err: fault.New(fault.Invalid, "it has no bytes")})
	r.start()
	v := r.rests(r.imagedOf(uuid.NewString(), 1).ID, "error")
	r.delete(v.ID)
	r.rests(v.ID, "deleted")
	r.eventually("nothing is left", func() bool {
		quota, pools := r.recount()
		volumes := dbtest.Rows(r, r.db, "SELECT id::text FROM volumes WHERE deleted_at IS NULL")
		return len(volumes)+len(quota)+len(pools) == 0
	})
}

// TestCachedCreateBeginsAnew: node and scheduler forget, as after kill -9, while an
// image is fetched for the cache, and while a volume becomes a copy.
func TestCachedCreateBeginsAnew(t *testing.T) {
	t.Parallel()
	for _, during := range []string{"copy_image", "copy_from"} {
		t.Run(during, func(t *testing.T) {
			r, node, _ := newCacheRig(t, 0, 0)
			stop := r.start()
			image := uuid.NewString()
			if during == "copy_from" {
				r.rests(r.imagedOf(image, 1).ID, "available")
			}
			node.SetSlow(time.Hour)
			v := r.imagedOf(image, 1)
			r.eventually("the copy", func() bool { return node.Calls(during) > 0 })
			stop()
			node.SetSlow(0)
			node.Forget()
			r.start()
			r.rests(v.ID, "available")
			if node.Volumes()[v.ID].Content != content(image) || len(r.kept()) != 1 {
				t.Errorf("holds %q", node.Volumes()[v.ID].Content)
			}
			r.clean()
		})
	}
}

// TestCacheIsForThoseWhoEnableIt: by default each volume fetches its image.
func TestCacheIsForThoseWhoEnableIt(t *testing.T) {
	r, node, _ := newImageRig(t)
	r.start()
	image := uuid.NewString()
	for range 2 {
		r.rests(r.imagedOf(image, 1).ID, "available")
	}
	if node.Calls("copy_image") != 2 || len(r.kept()) != 0 {
		t.Errorf("fetched %d times", node.Calls("copy_image"))
	}
}
