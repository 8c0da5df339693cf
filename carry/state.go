package carry

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// Step is how far a volume has come.
type Step string

// The steps, in order. A file is written before its step begins.
const (
	Asking    Step = "asking"    // an attachment is asked for; there may be one whose id is not known here
	Granted   Step = "granted"   // the attachment is known; login, device, completion follow
	Attached  Step = "attached"  // all done
	Detaching Step = "detaching" // on the way back
)

// State is what this machine remembers of one volume. It holds no password.
type State struct {
	VolumeID     string   `json:"volume_id"`
	VolumeName   string   `json:"volume_name"`
	Step         Step     `json:"step"`
	ReadOnly     bool     `json:"read_only,omitempty"`
	Before       []string `json:"before,omitempty"` // attachments that were there before Asking
	AttachmentID string   `json:"attachment_id,omitempty"`
	IQN          string   `json:"iqn,omitempty"`
	Portal       string   `json:"portal,omitempty"` // address:port
	LUN          int      `json:"lun"`
	Mapper       string   `json:"mapper,omitempty"`     // name under /dev/mapper of what decrypts it
	Formatting   string   `json:"formatting,omitempty"` // LUKS version of a header that is being written
	Device       string   `json:"device,omitempty"`     // path
}

// remains is what outlives the attachment: a header that is not whole, and what open-iscsi
// keeps, which is still to be left.
func (s State) remains() State {
	return State{Formatting: s.Formatting, IQN: s.IQN, Portal: s.Portal, LUN: s.LUN}
}

// states keeps one file per volume, named by its id.
type states struct{ dir string }

// Load reads a volume's state; the zero State when there is none.
func (s states) Load(volumeID string) (State, error) {
	text, err := os.ReadFile(s.path(volumeID))
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	var state State
	if err := json.Unmarshal(text, &state); err != nil {
		return State{}, fault.Wrap(err, fault.Internal, "the state file of volume %s cannot be read; remove it if the volume is not attached", volumeID)
	}
	return state, nil
}

// Save writes the state so that after a crash the file holds either the old
// state or the new one.
func (s states) Save(state State) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(s.path(state.VolumeID), s.dir, append(text, '\n'))
}

// Remove forgets a volume. No error when nothing is remembered.
func (s states) Remove(volumeID string) error {
	if err := os.Remove(s.path(volumeID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// All reads every volume's state, in the order of the ids.
func (s states) All() ([]State, error) {
	paths, err := filepath.Glob(filepath.Join(s.dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []State
	for _, path := range paths {
		state, err := s.Load(strings.TrimSuffix(filepath.Base(path), ".json"))
		if err != nil {
			return nil, err
		}
		if state.VolumeID != "" { // it may have gone in between
			all = append(all, state)
		}
	}
	return all, nil
}

// Find gives the volume with that id or name, without asking the API.
func (s states) Find(reference string) (State, bool, error) {
	all, err := s.All()
	if err != nil {
		return State{}, false, err
	}
	var named []State
	for _, state := range all {
		if state.VolumeID == reference {
			return state, true, nil
		}
		if state.VolumeName == reference {
			named = append(named, state)
		}
	}
	if len(named) > 1 {
		return State{}, false, fault.New(fault.Conflict, "%d volumes attached here are named %q: give the id", len(named), reference)
	}
	if len(named) == 0 {
		return State{}, false, nil
	}
	return named[0], true, nil
}

func (s states) path(volumeID string) string {
	return filepath.Join(s.dir, filepath.Base(volumeID)+".json")
}

// prepared is where the new text of a file is written first, in the folder scratch.
// There is one such place for each file, so that a crash leaves one file at most, and
// the next change takes it.
func prepared(path, scratch string) string {
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(scratch, ".clinker-"+hex.EncodeToString(sum[:8]))
}

// replaceFile puts a file readable by its owner alone in place of another in
// one step. The folder scratch is on the same file system. The volume's lock is held.
func replaceFile(path, scratch string, text []byte) error {
	f, err := os.OpenFile(prepared(path, scratch), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename outlast a power cut.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}
