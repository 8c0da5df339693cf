package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/manageablevolumes"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// call sends a request at a microversion and reads the answer into out, nil for
// none.
func call(t *testing.T, c *gophercloud.ServiceClient, method, path, version string, body, out any, status int) {
	t.Helper()
	response, err := c.Request(t.Context(), method, c.ServiceURL(path), &gophercloud.RequestOpts{
		JSONBody: body, JSONResponse: out, OkCodes: []int{status}, KeepResponseBody: out == nil,
		MoreHeaders: map[string]string{"OpenStack-API-Version": "volume " + version},
	})
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if out == nil {
		response.Body.Close()
	}
}

// TestManage: a file that somebody put into the pool becomes a volume, is used as
// one, and stays with what was written when it is let go.
func TestManage(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{})
	project := rig.NewProject()
	c, manager := cloud.Client(t, project), cloud.Client(t, project)
	manager.Microversion = "3.8"
	pool := cloud.Nodes[0].Volumes
	content := strings.Repeat("what was there before ", 1000)
	if err := os.WriteFile(filepath.Join(pool, "old disk"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	var pools struct{ Pools []struct{ Name string } }
	call(t, c, "GET", "scheduler-stats/get_pools", "3.0", nil, &pools, 200)
	backend, _, _ := strings.Cut(pools.Pools[0].Name, "#")

	var list struct {
		Found []struct {
			Reference map[string]string
			Size      int
			Safe      bool    `json:"safe_to_manage"`
			Reason    *string `json:"reason_not_safe"`
			ID        *string `json:"cinder_id"`
		} `json:"manageable-volumes"`
	}
	call(t, c, "GET", "manageable_volumes/detail?host="+backend, "3.8", nil, &list, 200)
	if len(list.Found) != 1 || list.Found[0].Reference["source-name"] != "old disk" || !list.Found[0].Safe || list.Found[0].Size != 1 {
		t.Fatalf("%+v", list)
	}
	v, err := manageablevolumes.ManageExisting(t.Context(), manager, manageablevolumes.ManageExistingOpts{
		Host: backend, Ref: map[string]string{"source-name": "old disk"}, Name: "adopted"}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	if managed := rig.AwaitVolume(t, c, v.ID, "available"); managed.Size != 1 || managed.Name != "adopted" {
		t.Errorf("%+v", managed)
	}
	h := rig.NewHost(t, c)
	at(t, h, v.ID, func(s session) {
		wantSize(t, s, gib)
		s.writes(mib, mib, 0x33)
	})
	call(t, c, "GET", "manageable_volumes/detail?host="+backend, "3.8", nil, &list, 200)
	if f := list.Found[0]; f.Safe || f.Reason == nil || *f.Reason != "already managed" || *f.ID != v.ID {
		t.Errorf("%+v", f)
	}

	call(t, c, "POST", "volumes/"+v.ID+"/action", "3.0", map[string]any{"os-unmanage": nil}, nil, http.StatusAccepted)
	rig.Eventually(t, 30*time.Second, func() error {
		_, err := volumes.Get(t.Context(), c, v.ID).Extract()
		if gophercloud.ResponseCodeIs(err, 404) {
			return nil
		}
		return fmt.Errorf("the volume is still there: %v", err)
	})
	left, err := os.ReadFile(filepath.Join(pool, "volume-"+v.ID))
	if err != nil || !strings.HasPrefix(string(left), content) || left[mib] != 0x33 {
		t.Errorf("what was let go does not hold what it held: %v", err)
	}

	failed, err := manageablevolumes.ManageExisting(t.Context(), manager, manageablevolumes.ManageExistingOpts{
		Host: backend, Ref: map[string]string{"source-name": "nothing"}}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	rig.AwaitVolume(t, c, failed.ID, "error")
}

// TestLogLevels: of every process, and set for the running ones.
func TestLogLevels(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{})
	c := cloud.Client(t, rig.NewProject())
	type levels struct {
		Of []struct {
			Binary string
			Levels map[string]string
		} `json:"log_levels"`
	}
	of := func() map[string]string {
		var told levels
		call(t, c, "PUT", "os-services/get-log", "3.32", map[string]any{}, &told, 200)
		all := map[string]string{}
		for _, p := range told.Of {
			all[p.Binary] = p.Levels["clinker.db"]
		}
		return all
	}
	before := of()
	for _, binary := range []string{"cinder-api", "cinder-volume", "cinder-scheduler"} {
		if before[binary] == "" {
			t.Errorf("%s does not tell: %v", binary, before)
		}
	}
	call(t, c, "PUT", "os-services/set-log", "3.32", map[string]any{"prefix": "cinder.db", "level": "warning"}, nil, http.StatusAccepted)
	for binary, level := range of() {
		if level != "WARNING" {
			t.Errorf("%s logs at %s", binary, level)
		}
	}
	var cleaned struct{ Cleaning []struct{ Binary string } }
	call(t, c, "POST", "workers/cleanup", "3.24", map[string]any{"is_up": true}, &cleaned, http.StatusAccepted)
	if len(cleaned.Cleaning) != 2 {
		t.Errorf("cleaning %+v", cleaned)
	}
}
