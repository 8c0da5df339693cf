package fullpath

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
	"clinker/testbed"
)

// placed: of all pools that have room a volume goes to the one whose disk has the least
// to do, although the others have more room.
func (p *path) placed(t *testing.T) {
	reader, err := p.node.Machine.Start(t.Context(), testbed.Command{Args: []string{
		"sh", "-c", "while dd if=/dev/tb/data of=/dev/null bs=1M iflag=direct status=none; do :; done"}})
	check(t, err)
	defer func() { check(t, reader.Signal(context.WithoutCancel(t.Context()), syscall.SIGKILL)) }()
	rig.Eventually(t, time.Minute, func() error {
		var busy, idle float64
		err := p.DB.QueryRow(t.Context(), `SELECT min(io_busy_share) FILTER (WHERE name NOT LIKE $1), max(io_busy_share) FILTER (WHERE name LIKE $1)
			FROM pools`, "node@"+elsewhere+"#%").Scan(&busy, &idle)
		if err == nil && busy < idle+0.2 {
			err = fmt.Errorf("the disk that is read is busy for %.2f of the time, the other for %.2f", busy, idle)
		}
		return err
	})
	v := rig.NewVolume(t, p.user, volumes.CreateOpts{Size: 1, Name: "placed"})
	if v, err := volumes.Get(t.Context(), p.admin, v.ID).Extract(); err != nil || !strings.HasPrefix(v.Host, "node@"+elsewhere+"#") {
		t.Errorf("the volume went to %s, %v", v.Host, err)
	}
	rig.DeleteVolume(t, p.user, v.ID)
}
