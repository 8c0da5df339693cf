package lvm

import (
	"context"
	"errors"
	"strings"
	"testing"

	"clinker/internal/fault"
	"clinker/internal/run"
)

// TestExplain has what LVM 2.03.16 was seen to say; status 5 each time.
func TestExplain(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]fault.Code{
		`Logical Volume "volume-a" already exists in volume group "vg0"`:                                                                          fault.Conflict,
		`Volume group "vg0" has insufficient free space (5044 extents): 25600 required.`:                                                          fault.NoSpace,
		`Insufficient free space: 4 extents needed, but only 0 available`:                                                                         fault.NoSpace,
		`Insufficient suitable allocatable extents found for logical volume _snapshot-a.`:                                                         fault.NoSpace,
		`Cannot create new thin volume, free space in thin pool vg0/pool reached threshold.`:                                                      fault.NoSpace,
		`Failed to find logical volume "vg0/nope"`:                                                                                                fault.NotFound,
		`Existing logical volume "nope" not found in volume group "vg0"`:                                                                          fault.NotFound,
		`Logical volume nope not found in volume group vg0.`:                                                                                      fault.NotFound,
		`Snapshot origin LV nope not found in Volume group vg0.`:                                                                                  fault.NotFound,
		`Pool nopool not found in Volume group vg0.`:                                                                                              fault.Unavailable,
		`Volume group "vg0" not found; Cannot process volume group vg0`:                                                                           fault.Unavailable,
		`Logical volume vg0/volume-t in use.`:                                                                                                     fault.Busy,
		`Logical volume vg0/volume-t contains a filesystem in use.`:                                                                               fault.Busy,
		`Snapshot origin volumes can be resized only while inactive: try lvchange -an.`:                                                           fault.Busy,
		`Can't resize locked logical volume vg0/volume-a.`:                                                                                        fault.Busy,
		`Can't remove locked logical volume vg0/volume-a.`:                                                                                        fault.Busy,
		`Cannot rename locked LV volume-a`:                                                                                                        fault.Busy,
		`Snapshots of locked volumes are not supported.`:                                                                                          fault.Busy,
		`WARNING: something; Can't get lock for vg0; Cannot process volume group vg0`:                                                             fault.Unavailable,
		`Refusing activation of partial LV vg0/volume-a.  Use '--activationmode partial' to override.`:                                            fault.Unavailable,
		`Volume group vg0 is exported`:                                                                                                            fault.Unavailable,
		`Cannot access VG vg0 with system ID other with unknown local system ID.`:                                                                 fault.Unavailable,
		`Cannot access VG vg0 with lock type sanlock that requires lvmlockd.`:                                                                     fault.Unavailable,
		`Cannot access clustered VG vg0.;   See lvmlockd(8) for changing a clvm/clustered VG.`:                                                    fault.Unavailable,
		`Volume vg0/volume-a is not active locally (volume_list activation filter?).`:                                                             fault.Unavailable,
		`Check of pool vg0/pool failed (status:1). Manual repair required!`:                                                                       fault.Unavailable,
		`WARNING: Thin pool vg0/pool is failed.; free space in thin pool vg0/pool reached threshold.`:                                             fault.Unavailable,
		`WARNING: Thin pool vg0/pool has read-only metadata.; Cannot create new thin volume, free space in thin pool vg0/pool reached threshold.`: fault.Unavailable,
		`Cannot send messages to thin pool vg0-pool-tpool (253:9) with read only metadata.`:                                                       fault.Unavailable,
		`Thin pool vg0-pool-tpool (253:9) transaction_id is 0, while expected 11.`:                                                                fault.Unavailable,
		`New size (4 extents) matches existing size (4 extents).`:                                                                                 fault.Internal,
		`/dev/vda: read failed after 0 of 4096 at 0: Input/output error`:                                                                          fault.Internal,
	} {
		err := explain(&run.ExitError{Program: "lvcreate", Status: 5, Stderr: said})
		if got := fault.CodeOf(err); got != want {
			t.Errorf("%s: got %q, want %q", said, got, want)
		}
		var exit *run.ExitError
		if !errors.As(err, &exit) {
			t.Errorf("%s: the cause is lost", said)
		}
	}
	err := explain(&run.ExitError{Program: "lvcreate", Status: 5, Stderr: "Cannot change VG vg0 while PVs are missing.; Cannot process volume group vg0"})
	if says := fault.MessageOf(err); !fault.Is(err, fault.Unavailable) || says != "a disk of the volume group is missing" {
		t.Errorf("a disk is missing: %q", says)
	}
	err = noGroup(explain(&run.ExitError{Program: "vgs", Status: 5, Stderr: "WARNING: VG name vg0 is used by VGs a and b.; Multiple VGs found with the same name: skipping vg0"}), "vg0")
	if says := fault.MessageOf(err); !fault.Is(err, fault.Unavailable) || !strings.Contains(says, "global_filter") || strings.Contains(says, "vgcreate") {
		t.Errorf("two of one name: %q", says)
	}
	if err := explain(context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := explain(nil); err != nil {
		t.Errorf("got %v", err)
	}
}
