package guest

import (
	"os"
	"testing"
)

// TestRequire passes in the guest and is skipped elsewhere; on the host it also
// shows that Require does skip.
func TestRequire(t *testing.T) {
	if !Inside() {
		t.Run("outside", func(t *testing.T) {
			defer func() {
				if !t.Skipped() {
					t.Error("Require let a test run outside the guest")
				}
			}()
			Require(t)
		})
	}
	Require(t)
	if _, err := os.Stat(DataDisk); err != nil {
		t.Errorf("the guest's data disk: %v", err)
	}
	if os.Getuid() != 0 {
		t.Errorf("user id %d in the guest, want root", os.Getuid())
	}
}
