package quota

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/quotasets"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// atOnce is how many requests are sent together.
const atOnce = 50

func TestQuotaHolds(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{})
	for name, test := range map[string]func(*testing.T, *gophercloud.ServiceClient, string){
		"Volumes": volumesHold, "Gigabytes": gigabytesHold, "Extending": extendingHolds, "DeletingGivesBackOnce": deletingGivesBackOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			project := rig.NewProject()
			test(t, cloud.Client(t, project), project)
		})
	}
}

// together does the same thing many times at once and counts the answers by
// HTTP status, 0 for success.
func together(n int, do func(i int) error) map[int]int {
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	answers := make([]error, n)
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-begin
			answers[i] = do(i)
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
	counts := map[int]int{}
	for _, err := range answers {
		counts[status(err)]++
	}
	return counts
}

// status is the HTTP status of an error; -1 for one that has none.
func status(err error) int {
	if err == nil {
		return 0
	}
	for _, code := range []int{400, 404, 409, 413, 500, 503} {
		if gophercloud.ResponseCodeIs(err, code) {
			return code
		}
	}
	return -1
}

func limit(t *testing.T, c *gophercloud.ServiceClient, project string, o quotasets.UpdateOpts) {
	t.Helper()
	if _, err := quotasets.Update(t.Context(), c, project, o).Extract(); err != nil {
		t.Fatal(err)
	}
}

// wantUse compares the quota set with what there should be.
func wantUse(t *testing.T, c *gophercloud.ServiceClient, project string, count, gib int) {
	t.Helper()
	set, err := quotasets.GetUsage(t.Context(), c, project).Extract()
	if err != nil {
		t.Fatal(err)
	}
	if set.Volumes.InUse != count || set.Gigabytes.InUse != gib {
		t.Errorf("%d volumes of %d GiB are counted, want %d of %d", set.Volumes.InUse, set.Gigabytes.InUse, count, gib)
	}
	pages, err := volumes.List(c, nil).AllPages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	there, err := volumes.ExtractVolumes(pages)
	if err != nil || len(there) != count {
		t.Errorf("%d volumes are there, want %d (%v)", len(there), count, err)
	}
}

func create(ctx context.Context, c *gophercloud.ServiceClient, sizeGiB int) error {
	return volumes.Create(ctx, c, volumes.CreateOpts{Size: sizeGiB}, nil).Err
}

func want(t *testing.T, got map[int]int, made, refused int) {
	t.Helper()
	if got[0] != made || got[413] != refused {
		t.Errorf("answers by status %v, want %d times success and %d times 413", got, made, refused)
	}
}

func volumesHold(t *testing.T, c *gophercloud.ServiceClient, project string) {
	limit(t, c, project, quotasets.UpdateOpts{Volumes: new(7)})
	want(t, together(atOnce, func(int) error { return create(t.Context(), c, 1) }), 7, atOnce-7)
	wantUse(t, c, project, 7, 7)
}

func gigabytesHold(t *testing.T, c *gophercloud.ServiceClient, project string) {
	limit(t, c, project, quotasets.UpdateOpts{Volumes: new(-1), Gigabytes: new(10)})
	want(t, together(atOnce, func(int) error { return create(t.Context(), c, 3) }), 3, atOnce-3)
	wantUse(t, c, project, 3, 9)
}

// extendingHolds lets each of five volumes grow by 2 GiB where there is room for
// three of them; the volumes that were refused are as they were.
func extendingHolds(t *testing.T, c *gophercloud.ServiceClient, project string) {
	limit(t, c, project, quotasets.UpdateOpts{Volumes: new(-1), Gigabytes: new(5 + 3*2)})
	var ids []string
	for range 5 {
		ids = append(ids, rig.NewVolume(t, c, volumes.CreateOpts{Size: 1}).ID)
	}
	got := together(5, func(i int) error {
		return volumes.ExtendSize(t.Context(), c, ids[i], volumes.ExtendSizeOpts{NewSize: 3}).Err
	})
	want(t, got, 3, 2)
	sizes := map[int]int{}
	for _, id := range ids {
		sizes[rig.AwaitVolume(t, c, id, "available").Size]++
	}
	if fmt.Sprint(sizes) != "map[1:2 3:3]" {
		t.Errorf("volumes by size: %v", sizes)
	}
	wantUse(t, c, project, 5, 11)
}

// deletingGivesBackOnce deletes each volume ten times at once: every answer is
// good or says that it is being deleted or gone, and the count ends at nothing.
func deletingGivesBackOnce(t *testing.T, c *gophercloud.ServiceClient, project string) {
	var ids []string
	for range 5 {
		ids = append(ids, rig.NewVolume(t, c, volumes.CreateOpts{Size: 1}).ID)
	}
	got := together(atOnce, func(i int) error {
		return volumes.Delete(t.Context(), c, ids[i%len(ids)], nil).Err
	})
	if got[0] < len(ids) || got[0]+got[404]+got[400] != atOnce {
		t.Errorf("answers by status %v", got)
	}
	rig.Eventually(t, rig.Settle, func() error {
		pages, err := volumes.List(c, nil).AllPages(t.Context())
		if err != nil {
			return err
		}
		left, err := volumes.ExtractVolumes(pages)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%d volumes are left", len(left))
		}
		return err
	})
	wantUse(t, c, project, 0, 0)
}
