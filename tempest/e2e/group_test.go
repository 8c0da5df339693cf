package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// grouped is what the API tells of a group or a group snapshot.
type grouped struct {
	ID      string   `json:"id"`
	Status  string   `json:"status"`
	Volumes []string `json:"volumes"`
}

// made asks for one of collection and gives its id; key is the body's and the
// answer's.
func made(t *testing.T, c *gophercloud.ServiceClient, path, key string, body any) string {
	t.Helper()
	answer := map[string]grouped{}
	call(t, c, "POST", path, "3.71", map[string]any{key: body}, &answer, 202)
	for _, g := range answer { // create-from-src answers under another key
		return g.ID
	}
	t.Fatal("no answer")
	return ""
}

// comesTo waits until what is at the path has the status; gone for "".
func comesTo(t *testing.T, c *gophercloud.ServiceClient, path, status string) (g grouped) {
	t.Helper()
	rig.Eventually(t, rig.Settle, func() error {
		answer := map[string]grouped{}
		_, err := c.Get(t.Context(), c.ServiceURL(strings.Split(path, "/")...), &answer, nil)
		if gophercloud.ResponseCodeIs(err, 404) && status == "" {
			return nil
		}
		for _, found := range answer {
			g = found
		}
		if err == nil && g.Status != status {
			err = fmt.Errorf("%s is %s, wanted %q", path, g.Status, status)
		}
		return err
	})
	return g
}

// TestGroups: what a group snapshot keeps is all volumes as they were; while a
// machine can write to them it is not taken, where the group type wants it to be
// of one moment.
func TestGroups(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{})
	c := cloud.Client(t, rig.NewProject())
	h := rig.NewHost(t, c)
	kind := made(t, c, "group_types", "group_type", map[string]any{"name": "consistent",
		"group_specs": map[string]string{"consistent_group_snapshot_enabled": "<is> True"}})
	group := made(t, c, "groups", "group", map[string]any{"group_type": kind, "volume_types": []string{"__DEFAULT__"}})
	comesTo(t, c, "groups/"+group, "available")
	var members []string
	for i := range 2 {
		v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1, Name: fmt.Sprint("member-", i), VolumeType: "__DEFAULT__"})
		call(t, c, "PUT", "groups/"+group, "3.71", map[string]any{"group": map[string]string{"add_volumes": v.ID}}, nil, 202)
		at(t, h, v.ID, func(s session) { s.writes(int64(i)*mib, mib, byte(0x10+i)) })
		members = append(members, v.ID)
	}
	kept := made(t, c, "group_snapshots", "group_snapshot", map[string]any{"group_id": group})
	comesTo(t, c, "group_snapshots/"+kept, "available")
	for i, id := range members {
		at(t, h, id, func(s session) { s.writes(int64(i)*mib, mib, 0xee) })
	}

	attached := h.Attach(t, members[0], "rw")
	refused := made(t, c, "group_snapshots", "group_snapshot", map[string]any{"group_id": group})
	comesTo(t, c, "group_snapshots/"+refused, "error")
	h.Detach(t, attached)
	call(t, c, "DELETE", "group_snapshots/"+refused, "3.71", nil, nil, 202)
	comesTo(t, c, "group_snapshots/"+refused, "")

	copied := made(t, c, "groups/action", "create-from-src", map[string]any{"group_snapshot_id": kept})
	comesTo(t, c, "groups/"+copied, "available")
	found := false
	for _, id := range comesTo(t, c, "groups/"+copied+"?list_volume=true", "available").Volumes {
		v := rig.AwaitVolume(t, c, id, "available")
		if v.SnapshotID == "" {
			t.Errorf("%+v", v)
		}
		at(t, h, id, func(s session) {
			if s.Verify(t.Context(), 0, mib, 0x10) == nil {
				found = true
			} else {
				s.reads(mib, mib, 0x11)
			}
		})
	}
	if !found {
		t.Error("no copy of the first volume")
	}

	call(t, c, "DELETE", "group_snapshots/"+kept, "3.71", nil, nil, 202)
	comesTo(t, c, "group_snapshots/"+kept, "")
	for _, id := range []string{group, copied} {
		call(t, c, "POST", "groups/"+id+"/action", "3.71", map[string]any{"delete": map[string]bool{"delete-volumes": true}}, nil, 202)
		comesTo(t, c, "groups/"+id, "")
	}
	for _, id := range members {
		rig.Eventually(t, 30*time.Second, func() error { return absent(cloud.Nodes[0].Volumes, id) })
	}
}
