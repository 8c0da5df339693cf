package crash

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// witnessGiB is the size of the volumes whose data is looked at.
const witnessGiB = 1

// places of a witness that hold data, in bytes from its begin: its ends, and
// somewhere in between.
var places = []int64{0, 300 << 20, witnessGiB<<30 - blockBytes}

const blockBytes = 64 << 10

// newWitnesses makes volumes and has a host write to them.
func newWitnesses(t *testing.T, c *gophercloud.ServiceClient) []string {
	t.Helper()
	host := rig.NewHost(t, c)
	var ids []string
	for i := range 3 {
		v := rig.NewVolume(t, c, volumes.CreateOpts{Size: witnessGiB, Name: "witness"})
		a := host.Attach(t, v.ID, "rw")
		s := host.Open(t, a.Login)
		for _, at := range places {
			if err := s.Write(t.Context(), at, blockBytes, fill(i)); err != nil {
				t.Fatal(err)
			}
		}
		s.Logout()
		host.Detach(t, a)
		ids = append(ids, v.ID)
	}
	return ids
}

func fill(witness int) byte { return 0xa1 + byte(witness) }

func cloneOf(witness string) string { return "clone of " + witness }

// checkWitnesses reads the data of the witnesses and of all their clones.
func (w *world) checkWitnesses(t *testing.T, witnesses []string) {
	t.Helper()
	checked := 0
	for _, v := range w.volumes(t) {
		for i, id := range witnesses {
			if v.id != id && v.name != cloneOf(id) || v.file == "" || strings.HasPrefix(v.status, "error") {
				continue
			}
			checked++
			for _, at := range places {
				if err := holds(v.file, at, fill(i)); err != nil {
					t.Errorf("volume %s (%s): %v\n%s", v.id, v.name, err, w.story(t, v.id))
				}
			}
		}
	}
	t.Logf("%d witnesses and clones have their data", checked)
}

func holds(file string, at int64, fill byte) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	got := make([]byte, blockBytes)
	if _, err := f.ReadAt(got, at); err != nil {
		return err
	}
	if !bytes.Equal(got, bytes.Repeat([]byte{fill}, blockBytes)) {
		return fmt.Errorf("%s at byte %d has %x…, want %x", filepath.Base(file), at, got[:4], fill)
	}
	return nil
}
