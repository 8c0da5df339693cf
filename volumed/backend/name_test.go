package backend

import (
	"strings"
	"testing"

	"clinker/internal/fault"
)

const someID = "3f0b7d52-1f4e-4f35-9b0e-7f6a1f3f6c11"

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, valid := range map[string]bool{
		VolumeName(someID):                  true,
		SnapshotName(someID):                true,
		VolumeName("a"):                     true,
		"":                                  false,
		"volume-":                           false,
		"volume--a":                         false,
		"volume-a/b":                        false,
		"volume-..":                         false,
		"volume-a_tdata":                    false,
		"volume-a\n":                        false,
		" volume-a":                         false,
		"snapshot-a":                        false,
		"root":                              false,
		"@tag":                              false,
		TrashName("volume-a", 1):            false,
		"volume-" + strings.Repeat("a", 65): false,
	} {
		err := CheckName(name)
		if valid && err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if !valid && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: got %v, want Invalid", name, err)
		}
	}
}

func TestTrashName(t *testing.T) {
	t.Parallel()
	for _, old := range []string{VolumeName(someID), SnapshotName(someID)} {
		if err := CheckTrashName(TrashName(old, 17)); err != nil {
			t.Errorf("%s: %v", old, err)
		}
		if err := CheckTrashName(old); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s as trash: got %v, want Invalid", old, err)
		}
	}
}

func TestNamesAndIDs(t *testing.T) {
	t.Parallel()
	if id, ok := VolumeID(VolumeName(someID)); !ok || id != someID {
		t.Errorf("volume: %q %v", id, ok)
	}
	if id, ok := SnapshotID(SnapshotName(someID)); !ok || id != someID {
		t.Errorf("snapshot: %q %v", id, ok)
	}
	if _, ok := VolumeID(SnapshotName(someID)); ok {
		t.Error("a snapshot's name passed for a volume's")
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, -1} {
		if err := CheckSize(size); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d bytes: got %v, want Invalid", size, err)
		}
	}
	if err := SameSize("volume-a", 1, 2); !fault.Is(err, fault.Conflict) {
		t.Errorf("another size: got %v, want Conflict", err)
	}
}
