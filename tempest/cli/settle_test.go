package cli

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/tempest/rig"
)

// moving are the statuses that end by themselves, with the list each is found in.
var moving = map[string][]string{
	"volumes":         {"creating", "deleting", "downloading", "extending", "reverting", "retyping", "managing", "unmanaging", "backing-up", "restoring-backup", "uploading", "maintenance"},
	"snapshots":       {"creating", "deleting", "restoring", "managing", "unmanaging", "backing-up"},
	"backups":         {"creating", "deleting", "restoring"},
	"groups":          {"creating", "deleting", "updating"},
	"group_snapshots": {"creating", "deleting"},

	"consistencygroups": {"creating", "deleting", "updating"},
	"cgsnapshots":       {"creating", "deleting"},
}

// settle waits until nothing moves. A user looks again; a session says once what
// is to be read at last.
func (s *session) settle(t *testing.T) {
	t.Helper()
	if s.watcher == nil {
		s.watcher = s.dev.Client(t, "admin")
	}
	rig.Eventually(t, rig.Settle, func() error {
		for kind, statuses := range moving {
			if err := still(t, s.watcher, kind, statuses); err != nil {
				return err
			}
		}
		return nil
	})
}

func still(t *testing.T, c *gophercloud.ServiceClient, kind string, statuses []string) error {
	var found map[string][]struct{ ID, Status string }
	response, err := c.Get(t.Context(), c.ServiceURL(kind, "detail?all_tenants=1"), &found, nil)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	for _, item := range found[kind] {
		if slices.Contains(statuses, item.Status) {
			return fmt.Errorf("%s %s is %s", kind, item.ID, item.Status)
		}
	}
	return nil
}
