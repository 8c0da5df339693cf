package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// secretsStayHidden looks for an attachment's password in every log, and on the
// command line and in the environment of every process.
func secretsStayHidden(t *testing.T, cloud *rig.Cloud, c *gophercloud.ServiceClient) {
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	h := rig.NewHost(t, c)
	a := h.Attach(t, v.ID, "rw")
	h.Open(t, a.Login).Logout()
	stranger := a.Login
	stranger.Name += "x"
	h.Refused(t, "wrong initiator", stranger)
	h.Detach(t, a)
	for _, pattern := range []string{filepath.Join(cloud.Dir, "*.log"), "/proc/[0-9]*/cmdline", "/proc/[0-9]*/environ"} {
		files, _ := filepath.Glob(pattern)
		if len(files) == 0 {
			t.Errorf("no %s", pattern)
		}
		for _, file := range files {
			if data, err := os.ReadFile(file); err == nil && bytes.Contains(data, []byte(a.Login.Password)) {
				t.Errorf("the password is in %s", file)
			}
		}
	}
}
