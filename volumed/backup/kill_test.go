package backup_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/volumed/backup"
	"clinker/volumed/backup/posix"
)

// victim is what a process of its own does until it is killed.
type victim struct {
	Store    string
	Restores bool // onto Path; else it backs Path up
	Place    backup.Place
	Parent   *backup.Place
	VolumeID string
	Path     string
	Bytes    int64
	DieAt    int64 // bytes of progress after which it waits for its end
}

// TestMain is the victim's main where there is one.
func TestMain(m *testing.M) {
	text, ok := os.LookupEnv("CLINKER_BACKUP_VICTIM")
	if !ok {
		os.Exit(m.Run())
	}
	var v victim
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	v.live()
}

func (v victim) live() {
	driver, err := posix.New(v.Store)
	if err != nil {
		panic(err)
	}
	s := backup.New(backup.Options{Driver: driver, Location: "posix:" + v.Store, Compress: true, ChunkBytes: 4 * quarter})
	progress := func(done int64) {
		if done >= v.DieAt {
			fmt.Println("now")
			select {}
		}
	}
	if v.Restores {
		err = s.Restore(context.Background(), v.Place, backup.Target{Path: v.Path, Bytes: v.Bytes, Progress: progress})
	} else {
		_, err = s.Create(context.Background(), backup.Request{
			Place: v.Place, Parent: v.Parent, VolumeID: v.VolumeID, Path: v.Path, Bytes: v.Bytes, Progress: progress,
		})
	}
	fmt.Println("ended", err)
}

// killed runs a victim and kills it (SIGKILL) when it has come that far.
func (r *rig) killed(v victim) {
	r.t.Helper()
	v.Store = r.dir
	text, err := json.Marshal(v)
	r.must(err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CLINKER_BACKUP_VICTIM="+string(text))
	out, err := cmd.StdoutPipe()
	r.must(err)
	r.must(cmd.Start())
	line, _ := bufio.NewReader(out).ReadString('\n')
	r.must(cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	if strings.TrimSpace(line) != "now" {
		r.t.Fatalf("the victim said %q", line)
	}
}

func (r *rig) killedBackup(q backup.Request, dieAt int64) {
	r.t.Helper()
	r.killed(victim{Place: q.Place, Parent: q.Parent, VolumeID: q.VolumeID, Path: q.Path, Bytes: q.Bytes, DieAt: dieAt})
}

// TestKilledBackup: a process killed at any point of a backup leaves the earlier
// ones as they are and no other, and the same backup again makes it whole.
func TestKilledBackup(t *testing.T) {
	t.Parallel()
	r := newRig(t, 40*unit)
	r.write(0, noise(40*unit, 1))
	full := r.backUp(nil)
	was := r.content()
	r.write(3*unit, noise(30*unit, 2))
	request := r.request(&full.Place)
	for _, units := range []int64{1, 7, 20, 39, 40} {
		r.killedBackup(request, units*unit)
		r.holds(full.Place, was)
		if all, err := r.store.Manifests(t.Context(), "tests", "", 10); err != nil || len(all) != 1 {
			t.Errorf("after %d chunks: %v %v", units, all, err)
		}
	}
	m, err := r.store.Create(t.Context(), request)
	r.must(err)
	r.holds(m.Place, r.content())
	r.holds(full.Place, was)
	if left := r.objects(m.Place); len(left) != m.Objects {
		t.Errorf("%d objects, %d in the store", m.Objects, len(left))
	}
	// One that is given up instead.
	request.Place.ID = uuid.NewString()
	r.write(0, noise(2*unit, 3))
	r.killedBackup(request, 30*unit)
	r.must(r.store.Remove(t.Context(), request.Place))
	if left := r.objects(request.Place); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	copy(was[3*unit:], noise(30*unit, 2))
	r.holds(m.Place, was)
}

// TestKilledRestore: a process killed at any point of a restore leaves the backup as
// it is, and the same restore again writes all.
func TestKilledRestore(t *testing.T) {
	t.Parallel()
	r := newRig(t, 40*unit)
	r.write(unit, noise(30*unit, 1))
	m := r.backUp(nil)
	path := r.volume + "-restored"
	for _, units := range []int64{1, 20, 40} {
		r.must(os.WriteFile(path, noise(40*unit, 9), 0o600))
		r.killed(victim{Restores: true, Place: m.Place, Path: path, Bytes: 40 * unit, DieAt: units * unit})
		r.must(r.store.Restore(t.Context(), m.Place, backup.Target{Path: path, Bytes: 40 * unit, Progress: func(int64) {}}))
		got, err := os.ReadFile(path)
		if err != nil || string(got) != string(r.content()) {
			t.Errorf("after %d chunks: other bytes, or %v", units, err)
		}
	}
	r.holds(m.Place, r.content())
}
