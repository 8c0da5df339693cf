package jobs

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

const (
	gib    = int64(1) << 30
	island = 512 << 10 // bytes of data
	// islands are as far from each other, so that a copy's progress is seen though
	// it is mostly holes.
	apart = 64 << 20
)

// world is a cloud whose node copies 700 kB a second, and a volume
// with sixteen islands of data, whose copy takes twelve seconds.
type world struct {
	*testing.T
	*rig.Cloud
	project string
	source  string
	content map[int64][]byte
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := &world{t, rig.Start(t, rig.Options{NodeSettings: "volume_copy_bps_limit = 700000"}), rig.NewProject(), "", map[int64][]byte{}}
	w.source = rig.NewVolume(t, w.Client(t, w.project), volumes.CreateOpts{Size: 1}).ID
	file, err := os.OpenFile(w.file(w.source), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for at := int64(0); at < gib; at += apart {
		w.content[at] = make([]byte, island)
		_, _ = rand.Read(w.content[at])
		if _, err := file.WriteAt(w.content[at], at); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) file(id string) string { return filepath.Join(w.Nodes[0].Volumes, "volume-"+id) }

// clone asks for a copy of the volume, and returns when it is under way.
func (w *world) clone() (id string, job int64) {
	w.Helper()
	v, err := volumes.Create(w.Context(), w.Client(w, w.project), volumes.CreateOpts{Size: 1, SourceVolID: w.source}, nil).Extract()
	if err != nil {
		w.Fatal(err)
	}
	rig.Eventually(w, rig.Settle, func() error {
		listed := w.jobs("list", "--json", "--resource", v.ID)
		if len(listed) != 1 || listed[0].BytesDone == 0 {
			return fmt.Errorf("under way: %+v", listed)
		}
		job = listed[0].ID
		return nil
	})
	return v.ID, job
}

// shown is what the tests read of `clinker job … --json`.
type shown struct {
	ID         int64
	Kind       string
	State      string
	BytesDone  int64  `json:"bytes_done"`
	BytesTotal int64  `json:"bytes_total"`
	Status     string `json:"resource_status"`
	Failure    string
}

func (w *world) jobs(args ...string) (listed []shown) {
	w.Helper()
	if err := json.Unmarshal([]byte(w.run(args...)), &listed); err != nil {
		w.Fatal(err)
	}
	return listed
}

func (w *world) job(id int64) (one shown) {
	w.Helper()
	if err := json.Unmarshal([]byte(w.run("show", "--json", fmt.Sprint(id))), &one); err != nil {
		w.Fatal(err)
	}
	return one
}

// run runs `clinker job`, which must end well.
func (w *world) run(args ...string) string {
	w.Helper()
	out, err := w.try(args...)
	if err != nil {
		w.Fatalf("clinker job %v: %v\n%s", args, err, out)
	}
	return out
}

func (w *world) try(args ...string) (string, error) {
	c := exec.CommandContext(w.Context(), rig.Binary(w), append([]string{"--config", filepath.Join(w.Dir, "control.conf"), "job"}, args...)...)
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out) + string(exit.Stderr), err
	}
	return string(out), err
}

// whole waits for the copy and compares it with its source.
func (w *world) whole(id string) {
	w.Helper()
	rig.AwaitVolume(w, w.Client(w, w.project), id, "available")
	file, err := os.Open(w.file(id))
	if err != nil {
		w.Fatal(err)
	}
	defer file.Close()
	got, hole := make([]byte, island), make([]byte, island)
	for at, want := range w.content {
		for _, piece := range []struct {
			at   int64
			want []byte
		}{{at, want}, {at + island, hole}} {
			if _, err := file.ReadAt(got, piece.at); err != nil || !bytes.Equal(got, piece.want) {
				w.Errorf("the copy differs at %d: %v", piece.at, err)
			}
		}
	}
	w.tidy()
}

// tidy: nothing half-made is on the node.
func (w *world) tidy() {
	w.Helper()
	rig.Eventually(w, rig.Settle, func() error {
		if left, _ := filepath.Glob(w.Nodes[0].Volumes + "/.making-*"); len(left) > 0 {
			return fmt.Errorf("left: %v", left)
		}
		return nil
	})
}

// notThere: there is no volume of that name before it is whole.
func (w *world) notThere(id string) {
	w.Helper()
	if _, err := os.Stat(w.file(id)); !errors.Is(err, os.ErrNotExist) {
		w.Errorf("the volume is there before its bytes are: %v", err)
	}
}

func restart(t *testing.T, r *rig.Role) {
	t.Helper()
	r.Kill()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
}

// further waits until a job's copy is further than that many bytes.
func (w *world) further(job, bytes int64) {
	w.Helper()
	rig.Eventually(w, 30*time.Second, func() error {
		if now := w.job(job); now.BytesDone <= bytes && now.State == "running" {
			return fmt.Errorf("still at %d", now.BytesDone)
		}
		return nil
	})
}
